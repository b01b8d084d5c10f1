import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { formatProblems } from '../../cli/problems.ts'
import { painter } from '../../cli/terminal.ts'
import type { Config } from '../../config/config.ts'
import { processEnvironment } from '../../config/environment.ts'
import { CONFIG_FILES } from '../../config/find.ts'
import { loadConfig } from '../../config/load.ts'
import type { Flags } from '../../config/overlay.ts'
import { type Running, serve } from '../../server.ts'
import { reachable } from '../../server/address.ts'
import type { ConfigSource } from '../../server/configuration.ts'
import { endOnSignals, reloadOnHangup } from '../../server/signals.ts'
import { VERSION } from '../../server/version.ts'
import { type BannerAddress, renderBanner, takesColour } from '../../services/log/banner.ts'
import { commandsToTry } from './commands.ts'
import { makeConsumers } from './consumers.ts'
import { ConfigurationInvalid, PortTaken } from './errors.ts'
import { type RunningFleet, startFleet } from './upstream.ts'

/** What `npm start` runs: the fleet API on a free port, and Headrace before it. */

const OWN_CONFIG = fileURLToPath(new URL('./headrace.config.ts', import.meta.url))
/** As the configuration has it; a consumers' file is looked for before that is read. */
const DATA_DIR = fileURLToPath(new URL('../../.headrace', import.meta.url))
const USAGE = 'Usage: npm start [-- [--port <port>] [--host <address>] [--log-level <level>]]'

/** What is off, and the variable that would add it. */
const OFF = [
  { feature: 'Redis: a cache that machines share', variable: 'REDIS_URL' },
  { feature: 'Postgres, to come: SQL queries as routes', variable: 'DATABASE_URL' },
]

async function start(flags: Flags): Promise<void> {
  const fleet = await startFleet()
  try {
    const source = await configBefore(fleet, flags)
    const { config } = source.loaded
    const running = await serve(config, { source }).catch((error: unknown) => {
      throw withRemedy(error, config)
    })
    const isBehind = config.upstreams.some(({ targets }) => targets.some(({ url }) => url === fleet.url))
    if (!isBehind) await fleet.close() // another configuration, with upstreams of its own
    endOnSignals({ ...running, close: () => closeBoth(running, fleet) }, config.drainTimeoutMs)
    reloadOnHangup(() => void running.reload())
    process.stdout.write(banner(config, running, isBehind ? [fleet.url, fleet.secondUrl] : []))
  } catch (error) {
    await fleet.close()
    throw error
  }
}

/** The configuration of the folder, or else the example's. @throws FLEET_CONFIGURATION */
async function configBefore(fleet: RunningFleet, flags: Flags): Promise<ConfigSource> {
  const cwd = process.cwd()
  const isOther = CONFIG_FILES.some((name) => existsSync(join(cwd, name)))
  const variables = {
    ...processEnvironment(),
    FLEET_URL: fleet.url,
    FLEET_SECOND_URL: fleet.secondUrl,
    FLEET_CONSUMERS: makeConsumers(DATA_DIR),
  }
  const load = () => loadConfig({ cwd, variables, flags, ...(isOther ? {} : { file: OWN_CONFIG }) })
  const loaded = await load()
  if (!loaded.ok) throw new ConfigurationInvalid(formatProblems(loaded.problems, painter(process.stderr)).trimEnd())
  return { loaded, load }
}

/** The gateway first: what it still answers needs the upstream. */
async function closeBoth(running: Running, fleet: RunningFleet): Promise<void> {
  await running.close()
  await fleet.close()
}

/** @param fleetUrls none where the fleet API is not behind the gateway */
function banner(config: Config, running: Running, fleetUrls: readonly string[]): string {
  const isOwn = config.file === OWN_CONFIG
  const addresses: BannerAddress[] = [...running.addresses]
  for (const url of fleetUrls) addresses.push({ kind: 'fleet', url, protocols: ['http/1.1'] })
  const main = running.addresses.find(({ kind }) => kind === 'public')
  const { docs } = config.endpoints
  const terminal = process.stdout.isTTY
  return renderBanner(
    {
      title: `Headrace ${VERSION}`,
      addresses,
      docs: main === undefined || docs === false ? null : reachable(main.url) + docs,
      off: OFF.filter(({ variable }) => variable !== 'REDIS_URL' || config.redis === null),
      commands: commandsToTry({ config, running, fleet: isOwn, terminal, cwd: process.cwd() }),
    },
    takesColour(process.stdout),
  )
}

/** For a busy port of the example's own: the command that chooses another one. Other errors say enough themselves. */
function withRemedy(error: unknown, config: Config): unknown {
  const { code, cause } = (error ?? {}) as { code?: string; cause?: { port?: number } }
  if (code !== 'HR_LISTENER_PORT_IN_USE' || config.file !== OWN_CONFIG) return error
  const isFirst = cause?.port === config.listen[0]?.port
  const remedy = isFirst ? 'PORT=9000 npm start, or npm start -- --port 9000' : 'HTTPS_PORT=9443 npm start'
  return new PortTaken(cause?.port, remedy, { cause: error as Error })
}

/** One line for what the person at the terminal can mend, everything for what is our own fault. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code } = error as Error & { code?: string }
  return code !== undefined && /^(HR|FLEET)_/.test(code) ? error.message : (error.stack ?? error.message)
}

/** @throws TypeError for what is no option; their values are for the loader to judge */
function flagsOf(args: readonly string[]): Flags {
  const text = { type: 'string' } as const
  return parseArgs({ args: [...args], options: { port: text, host: text, 'log-level': text } }).values
}

/** Nothing that listens is open yet, or it has been closed: the process ends by itself. */
function fail(message: string, exitCode: 1 | 2): void {
  console.error(message)
  process.exitCode = exitCode
}

let flags: Flags | undefined
try {
  flags = flagsOf(process.argv.slice(2))
} catch (error) {
  fail(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`, 2)
}
if (flags) await start(flags).catch((error: unknown) => fail(explain(error), 1))
