import type { Config } from '../config/config.ts'
import { type Loaded, loadConfig } from '../config/load.ts'
import type { ConfigSource } from '../server/configuration.ts'
import type { Call, Option } from './command.ts'
import { formatProblems } from './problems.ts'
import { painter } from './terminal.ts'

/** The option that names the file. */
export const CONFIG_OPTION: Readonly<Record<string, Option>> = {
  config: { type: 'string', short: 'c', value: 'FILE', description: 'Configuration file' },
}

/** Options that go over the configuration. */
export const OVERRIDES: Readonly<Record<string, Option>> = {
  host: { type: 'string', value: 'ADDRESS', description: 'Address of the first listener; 0.0.0.0 for all (HOST)' },
  port: {
    type: 'string',
    short: 'p',
    value: 'N',
    description: 'Port of the first listener; 0 for any free one (PORT)',
  },
  tls: {
    type: 'boolean',
    description: 'https and HTTP/2 on the first listener, with a certificate generated for development',
  },
  'admin-port': { type: 'string', value: 'N', description: 'Port of the control plane' },
  processes: { type: 'string', value: 'N', description: "Data-plane processes, or 'auto'" },
  'log-level': { type: 'string', value: 'LEVEL', description: "Least severity logged, or 'silent' (LOG_LEVEL)" },
}

/** Loads the configuration that a command asks for. @param inline instead of a file */
export async function load(call: Call, inline?: unknown): Promise<Loaded> {
  const { cwd, variables } = call.surroundings
  const texts = Object.keys(OVERRIDES).filter((name) => OVERRIDES[name]?.type === 'string')
  const flags = {
    ...Object.fromEntries(texts.map((name) => [name, call.text(name)])),
    ...(call.has('tls') && { tls: 'development' }),
    ...(call.has('watch') && { watch: 'true' }),
  }
  return await loadConfig({ cwd, variables, flags, file: call.text('config'), ...(inline !== undefined && { inline }) })
}

/** The same for a command that needs a valid one: its problems are on standard error otherwise. */
export async function loadValid(call: Call, inline?: unknown): Promise<Config | undefined> {
  return (await loadSource(call, inline))?.loaded.config
}

/** The same for a command that runs it, and loads it again to reload it. */
export async function loadSource(call: Call, inline?: unknown): Promise<ConfigSource | undefined> {
  const loaded = await load(call, inline)
  if (loaded.ok) return { loaded, load: () => load(call, inline) }
  const { stderr } = call.surroundings
  stderr.write(formatProblems(loaded.problems, painter(stderr)))
  return undefined
}
