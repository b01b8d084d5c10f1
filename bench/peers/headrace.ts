/** Headrace as people start it: the command line and a configuration file. `--variant` names what is switched off. */
import { fileURLToPath } from 'node:url'
import { serve } from './command.ts'
import { argument } from './peer.ts'

const VARIANTS: Readonly<Record<string, object>> = {
  /** Metrics on; access log on, as JSON to a standard output that leads nowhere. */
  defaults: {},
  /** Metrics on, log off. */
  quiet: { log: { level: 'silent' } },
  /** Metrics and log off. */
  lean: { log: { level: 'silent' }, metrics: false },
}

const origin = argument('origin')
const variant = VARIANTS[argument('variant')]
if (variant === undefined) throw new TypeError(`--variant is one of ${Object.keys(VARIANTS).join(', ')}`)

const configuration = (folder: string, port: number): object => ({
  listen: { host: '127.0.0.1', port },
  admin: { port: 0, token: 'benchmark' },
  dataDir: folder,
  upstreams: { origin: { targets: [origin], connections: 128 } },
  routes: { '/*': { to: 'origin' } },
  ...variant,
})

await serve({
  file: process.execPath,
  configuration: (folder, port) => ({
    name: 'headrace.config.json',
    text: JSON.stringify(configuration(folder, port), null, 2),
  }),
  // As the launcher of the package starts it (scripts/pack.ts) and `npm start` does.
  args: (file) => [
    '--max-semi-space-size=4',
    fileURLToPath(new URL('../../cli.ts', import.meta.url)),
    'serve',
    '--config',
    file,
  ],
})
