import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'
import { closest } from '../config/suggest.ts'
import { UsageError } from './errors.ts'
import type { Surroundings } from './terminal.ts'

/**
 * 0: done; 1: the configuration is invalid, or something failed; 2: the command line was not understood. What compares says
 * with 1 that there are differences, and with 2 all else, as diff(1) does.
 */
export type ExitCode = 0 | 1 | 2

export interface Option {
  type: 'string' | 'boolean'
  short?: string
  multiple?: boolean
  /** What `--help` calls the value: `FILE`. */
  value?: string
  description: string
}

export interface Call {
  /** Text of an option, or `undefined`. */
  text(option: string): string | undefined
  /** All texts of an option that may be repeated. */
  texts(option: string): string[]
  has(option: string): boolean
  positionals: string[]
  surroundings: Surroundings
}

/** One command, in a file of its own; cli/main.ts lists them. */
export interface Command {
  name: string
  /** After the name: `METHOD PATH`. */
  arguments: string
  summary: string
  options: Readonly<Record<string, Option>>
  /** The least and most positional arguments. */
  positionals: [least: number, most: number]
  /** What it ends with where it fails; default: 1. */
  failed?: ExitCode
  run(call: Call): Promise<ExitCode>
}

const HELP: Option = { type: 'boolean', short: 'h', description: 'Show this help' }

export function optionsOf(command: Command): Record<string, Option> {
  return { ...command.options, help: HELP }
}

/** Reads the arguments of a command. @throws HR_CLI_USAGE */
export function parseCall(command: Command, args: readonly string[], surroundings: Surroundings): Call {
  const options = optionsOf(command)
  refuseOptions(command, args, options)
  let parsed: { values: Record<string, unknown>; positionals: string[] }
  try {
    const known = Object.entries(options).map(([name, { type, short, multiple }]) => {
      return [name, { type, ...(short && { short }), ...(multiple && { multiple }) }] as const
    })
    parsed = parseArgs({ args: [...args], options: Object.fromEntries(known), allowPositionals: true, strict: true })
  } catch (error) {
    throw new UsageError(error instanceof Error ? (error.message.split('. ', 1)[0] ?? '') : String(error))
  }
  const { values, positionals } = parsed
  const [least, most] = command.positionals
  if (values.help !== true && (positionals.length < least || positionals.length > most)) {
    const extra = positionals[most]
    if (extra === undefined) throw new UsageError(`${usageName(command)} needs ${command.arguments}`)
    const isFile = 'config' in options && /\.(ya?ml|json|[cm]?[jt]s)$/.test(extra)
    throw new UsageError(
      `unexpected argument '${extra}'${isFile ? `; a configuration is named by --config ${extra}` : ''}`,
    )
  }
  return {
    text: (option) => (typeof values[option] === 'string' ? values[option] : undefined),
    texts: (option) => (Array.isArray(values[option]) ? (values[option] as string[]) : []),
    has: (option) => values[option] === true,
    positionals,
    surroundings,
  }
}

/** What is typed to run it. */
export function usageName({ name }: Command): string {
  return name === 'proxy' ? 'headrace' : `headrace ${name}`
}

/** parseArgs says that an option is unknown, or lacks its value; what was meant or is to be written, it does not say. */
function refuseOptions(command: Command, args: readonly string[], options: Record<string, Option>): void {
  const shorts = new Set(Object.values(options).flatMap(({ short }) => short ?? []))
  const known: ParseArgsOptionsConfig = Object.fromEntries(
    Object.entries(options).map(([name, { type, short }]) => [name, { type, ...(short && { short }) }]),
  )
  const { tokens } = parseArgs({ args: [...args], options: known, strict: false, allowPositionals: true, tokens: true })
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined
    if (option?.type === 'boolean' && token.value !== undefined) {
      throw new UsageError(`'${token.rawName}' takes no value`)
    }
    // One that begins with a dash is more often the next option, forgotten behind this one's name.
    const isMissing = token.value === undefined || (token.inlineValue === false && /^-./.test(token.value))
    if (option?.type === 'string' && isMissing) {
      throw new UsageError(`'${token.rawName}' needs a value: ${token.rawName} ${option.value ?? 'VALUE'}`)
    }
    if (option !== undefined || shorts.has(token.name)) continue
    const known = [...Object.keys(options), ...(command.name === 'proxy' ? ['version'] : [])]
    const near = closest(token.name, known)
    // Without a command there is an address, and nothing to be read.
    const other = command.name === 'proxy' && /^c(onfig)?$/.test(token.name) ? 'headrace serve --config' : undefined
    const meant = other ?? (near && `--${near}`)
    throw new UsageError(
      `${usageName(command)} has no option '${token.rawName}'${meant === undefined ? '' : `; did you mean '${meant}'?`}`,
    )
  }
}
