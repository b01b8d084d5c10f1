import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { Config } from '../config/config.ts'
import { CONFIG_FILES } from '../config/find.ts'
import { asWritten, httpOrigin } from '../services/upstream/prior-knowledge.ts'
import type { Call, Command, ExitCode } from './command.ts'
import { loadSource, OVERRIDES } from './configuration.ts'
import { SaveError, UsageError } from './errors.ts'
import { runGateway } from './serve.ts'

/** Zero configuration: everything goes to one address. */
export const proxy: Command = {
  name: 'proxy',
  arguments: '<url>',
  summary: 'Put a gateway with a cache before one service: everything is proxied to it',
  options: {
    ...OVERRIDES,
    save: { type: 'boolean', description: 'Write the equivalent configuration here first; never over another one' },
    format: { type: 'string', value: 'yaml|ts', description: 'What --save writes; default: yaml' },
  },
  positionals: [1, 1],
  run,
}

async function run(call: Call): Promise<ExitCode> {
  const format = call.text('format') ?? 'yaml'
  if (format !== 'yaml' && format !== 'ts') throw new UsageError(`--format is yaml or ts, not '${format}'`)
  const inline = configurationFor(call.positionals[0] ?? '', call)
  const source = await loadSource(call, inline)
  if (source === undefined) return 1
  const itself = targetAmong(source.loaded.config)
  if (itself !== undefined) {
    throw new UsageError(`the gateway itself would listen at ${itself}: give it another port, --port 9000 say`)
  }
  const { cwd, stderr } = call.surroundings
  if (call.has('save')) stderr.write(`Wrote ${save(inline, cwd, format)}; from now on: headrace serve\n`)
  return await runGateway(source, call)
}

/** The configuration that an address stands for, as it would be written. @throws HR_CLI_USAGE */
export function configurationFor(address: string, call: Pick<Call, 'text'>): Record<string, unknown> {
  const { target, base } = parseAddress(address)
  const port = call.text('port')
  const host = call.text('host')
  const listen = { ...(host !== undefined && { host }), ...(port !== undefined && { port: Number(port) }) }
  return {
    ...(Object.keys(listen).length > 0 && { listen }),
    upstreams: { service: { targets: [target] } },
    // What the service says of its answers holds, and nothing else: without a word from it nothing is fresh.
    routes: { '/*': { to: 'service', ...(base !== '' && { rewrite: `${base}/*` }), cache: true } },
  }
}

/** Addresses of a listener that connections to this machine's own names come to. */
const LOOPBACK: Readonly<Record<string, readonly string[]>> = {
  localhost: ['localhost', '127.0.0.1', '::1', '0.0.0.0', '::'],
  '127.0.0.1': ['localhost', '127.0.0.1', '0.0.0.0', '::'],
  '::1': ['localhost', '::1', '::'],
}

/** The service's address, where a listener has it: requests would go round in circles, the service be started in vain. */
function targetAmong({ listen, upstreams }: Config): string | undefined {
  const [target] = upstreams.flatMap(({ targets }) => targets.map(({ origin }) => origin))
  const origin = httpOrigin(target ?? '')
  if (!URL.canParse(origin)) return undefined
  const { hostname, port, protocol } = new URL(origin)
  const wanted = Number(port === '' ? (protocol === 'https:' ? 443 : 80) : port)
  const host = hostname.replace(/^\[|\]$/g, '')
  const isOwn = listen.some((own) => own.port === wanted && (own.host === host || LOOPBACK[host]?.includes(own.host)))
  return isOwn ? target : undefined
}

/** `3000`, `:3000`, `localhost:3000`, `http://localhost:3000/api`, `h2c://localhost:50051`, `unix:./app.sock`. @throws HR_CLI_USAGE */
function parseAddress(address: string): { target: string; base: string } {
  if (address.startsWith('unix:')) return { target: address, base: '' }
  const text = /^\d+$/.test(address) ? `http://localhost:${address}` : address.replace(/^:/, 'localhost:')
  const url = /^(?:https?|h2c):\/\//.test(text) ? httpOrigin(text) : `http://${text}`
  if (!URL.canParse(url)) throw new UsageError(`'${address}' is no address: write http://localhost:3000, say`)
  const { origin, pathname } = new URL(url)
  return { target: asWritten(text, origin), base: pathname.replace(/\/+$/, '') }
}

/** @returns the file's name. @throws HR_CLI_SAVE where there is a configuration already, or none can be written */
function save(configuration: unknown, folder: string, format: 'yaml' | 'ts'): string {
  const present = CONFIG_FILES.find((name) => existsSync(join(folder, name)))
  if (present !== undefined) {
    throw new SaveError(`${present} is here already, and --save overwrites nothing: remove it, or run headrace serve`)
  }
  const name = `headrace.config.${format}`
  const text = format === 'yaml' ? stringify(configuration) : asTypeScript(configuration)
  try {
    // 'wx': a file that has come into being meanwhile stays as it is.
    writeFileSync(join(folder, name), text, { flag: 'wx' })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new SaveError(`${name} cannot be written (${reason}): run it in another folder, or without --save`)
  }
  return name
}

function asTypeScript(configuration: unknown): string {
  const literal = JSON.stringify(configuration, null, 2)
    .replaceAll(/"([A-Za-z]\w*)":/g, '$1:')
    .replaceAll("'", String.raw`\'`)
    .replaceAll('"', "'")
  return `import { defineConfig } from 'headrace'\n\nexport default defineConfig(${literal})\n`
}
