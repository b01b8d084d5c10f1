/** Headrace as people start it: the command line and a configuration file. `--variant` names what is switched on. */
import { hash } from 'node:crypto'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ADMITTED_KEY } from './catalogue.ts'
import { serve, type Place } from './command.ts'
import { argument } from './peer.ts'

const QUIET = { log: { level: 'silent' } }
const TO_ORIGIN = { to: 'origin' }
const CACHED = { to: 'origin', cache: true }

/** One consumer with a key; a limit that nobody comes to, and of which clients are told. */
const ADMITTED = {
  access: {
    consumers: { bench: { keys: [{ id: 'benchmark', hash: `sha256:${hash('sha256', ADMITTED_KEY, 'base64url')}` }] } },
  },
}
const GATES = { access: ['key'], rateLimit: { rate: '1000000/s', by: 'consumer' } }

/** What the configuration says besides the upstream and the listeners. */
const VARIANTS: Readonly<Record<string, object>> = {
  /** Metrics on; access log on, as JSON to a standard output that leads nowhere. */
  defaults: { routes: { '/*': TO_ORIGIN } },
  /** Metrics on, log off. */
  quiet: { routes: { '/*': TO_ORIGIN }, ...QUIET },
  /** Metrics and log off. */
  lean: { routes: { '/*': TO_ORIGIN }, ...QUIET, metrics: false },
  /** The defaults, and a cache by the origin's rules. */
  cache: { routes: { '/*': CACHED } },
  /** As quiet, with a key and a limit. */
  admitted: { routes: { '/*': { ...TO_ORIGIN, ...GATES } }, ...ADMITTED, ...QUIET },
  'cache-admitted': { routes: { '/*': { ...CACHED, ...GATES } }, ...ADMITTED, ...QUIET },
  'cache-quiet': { routes: { '/*': CACHED }, ...QUIET },
  /** The same with hits ahead of node:http. */
  'cache-early': { routes: { '/*': CACHED }, cache: { early: true }, ...QUIET },
}

const origin = argument('origin')
const certificate = argument('certificate')
const variant = VARIANTS[argument('variant')]
if (variant === undefined) throw new TypeError(`--variant is one of ${Object.keys(VARIANTS).join(', ')}`)

const configuration = ({ folder, port, securePort }: Place): object => ({
  listen: [
    { host: '127.0.0.1', port },
    {
      host: '127.0.0.1',
      port: securePort,
      tls: { cert: join(certificate, 'cert.pem'), key: join(certificate, 'key.pem') },
      http2: true,
    },
  ],
  admin: { port: 0, token: 'benchmark' },
  dataDir: folder,
  upstreams: { origin: { targets: [origin], connections: 128 } },
  ...variant,
})

await serve({
  file: process.execPath,
  configuration: (place) => ({
    name: 'headrace.config.json',
    text: JSON.stringify(configuration(place), null, 2),
  }),
  args: (file) => [fileURLToPath(new URL('../../cli.ts', import.meta.url)), 'serve', '--config', file],
  secure: true,
})
