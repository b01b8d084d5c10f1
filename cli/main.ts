import { closest } from '../config/suggest.ts'
import { VERSION } from '../server/version.ts'
import { type Command, type ExitCode, parseCall, usageName } from './command.ts'
import { commandHelp, generalHelp } from './help.ts'
import { type Paint, painter, type Surroundings } from './terminal.ts'

/** Every command; each loads what it needs when it is run, so that `check` does not wait for a server to load. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  proxy: async () => (await import('./proxy.ts')).proxy,
  serve: async () => (await import('./serve.ts')).serve,
  check: async () => (await import('./check.ts')).check,
  print: async () => (await import('./print.ts')).print,
  explain: async () => (await import('./explain.ts')).explain,
  openapi: async () => (await import('./openapi.ts')).openapi,
  status: async () => (await import('./status.ts')).status,
  log: async () => (await import('./log.ts')).log,
  purge: async () => (await import('./purge.ts')).purge,
  warm: async () => (await import('./warm.ts')).warm,
  diff: async () => (await import('./diff.ts')).diff,
  reload: async () => (await import('./reload.ts')).reload,
  maintenance: async () => (await import('./maintenance.ts')).maintenance,
  key: async () => (await import('./key.ts')).key,
  token: async () => (await import('./token.ts')).token,
  restart: async () => (await import('./restart.ts')).restart,
}

/** What other programs of this kind call it. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  start: 'serve',
  run: 'serve',
  up: 'serve',
  validate: 'check',
  lint: 'check',
  test: 'check',
  config: 'print',
  routes: 'explain',
  health: 'status',
}

/** Whether these arguments ask for a gateway that runs, and not for an answer. */
export function isServing(args: readonly string[]): boolean {
  const { name } = nameOf(args)
  return name === 'serve' || (name === 'proxy' && args.some((arg) => !arg.startsWith('-')))
}

/** Runs the command line. Never throws; what failed is on standard error. */
export async function main(args: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const { stdout, stderr } = surroundings
  const paint = painter(stderr)
  const [first, second] = args
  const help = async (): Promise<string> => {
    const commands = await Promise.all(Object.values(COMMANDS).map((load) => load()))
    return generalHelp(commands, painter(stdout))
  }
  try {
    if (first === undefined) {
      stderr.write(await help())
      return 2
    }
    if (first === 'help' && second !== undefined) return await runCommand([second, '--help'], surroundings)
    if (first === '--help' || first === '-h' || first === 'help') {
      stdout.write(await help())
      return 0
    }
    if (first === '--version' || first === '-v' || first === 'version') {
      stdout.write(`${VERSION}\n`)
      return 0
    }
    return await runCommand(args, surroundings)
  } catch (error) {
    stderr.write(`${describe(error, paint)}\n`)
    return isUsage(error) ? 2 : 1
  }
}

async function runCommand(args: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const { stdout, stderr } = surroundings
  const paint = painter(stderr)
  const { name, rest } = nameOf(args)
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (load === undefined) {
    stderr.write(`${paint('red', 'error')} there is no command '${name}'; ${hintFor(name)}\n`)
    return 2
  }
  const command = await load()
  try {
    const call = parseCall(command, rest, surroundings)
    if (!call.has('help')) return await command.run(call)
    stdout.write(commandHelp(command, painter(stdout)))
    return 0
  } catch (error) {
    if (!isUsage(error)) {
      stderr.write(`${describe(error, paint)}\n`)
      return command.failed ?? 1
    }
    stderr.write(`${describe(error, paint)}\n${paint('dim', `See ${usageName(command)} --help`)}\n`)
    return 2
  }
}

/** What was probably meant by a command that there is not: another one, or an address. */
function hintFor(name: string): string {
  const address = name.replace(/^[a-z]*:\/+/i, '')
  if (/^[\w-]*(\.[\w-]+)+(:\d+)?(\/|$)/.test(address) || name.includes('://')) {
    return `an address is written headrace http://${address}`
  }
  const near = Object.hasOwn(ELSEWHERE, name)
    ? ELSEWHERE[name]
    : closest(
        name,
        Object.keys(COMMANDS).filter((known) => known !== 'proxy'),
      )
  return near === undefined ? 'headrace --help lists them' : `did you mean '${near}'?`
}

/** `headrace http://localhost:3000` needs no command's name; options may stand before the address. */
function nameOf(args: readonly string[]): { name: string; rest: readonly string[] } {
  const [first = '', ...rest] = args
  const isAddress = /^(?:https?|h2c):\/\/|^unix:|^[\w.-]*:\d+(\/|$)|^\d+$|^localhost$/.test(first)
  return isAddress || first.startsWith('-') ? { name: 'proxy', rest: args } : { name: first, rest }
}

function isUsage(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'HR_CLI_USAGE'
}

/** One line for what a person can mend; everything for what is our own fault. */
function describe(error: unknown, paint: Paint): string {
  if (!(error instanceof Error)) return `${paint('red', 'error')} ${String(error)}`
  const isOurs = 'code' in error && typeof error.code === 'string' && error.code.startsWith('HR_')
  return `${paint('red', 'error')} ${isOurs ? error.message : (error.stack ?? error.message)}`
}
