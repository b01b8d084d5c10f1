import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'
import { closest } from '../config/suggest.ts'
import { UsageError } from './errors.ts'
import type { Surroundings } from './terminal.ts'

/** 0: done; 1: the configuration is invalid, or something failed; 2: the command line was not understood. */
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
  run(call: Call): Promise<ExitCode>
}

const HELP: Option = { type: 'boolean', short: 'h', description: 'Show this help' }

export function optionsOf(command: Command): Record<string, Option> {
  return { ...command.options, help: HELP }
}

/** Reads the arguments of a command. @throws HR_CLI_USAGE */
export function parseCall(command: Command, args: readonly string[], surroundings: Surroundings): Call {
  const options = optionsOf(command)
  refuseUnknown(command, args, options)
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
    throw new UsageError(
      extra === undefined ? `${command.name} needs ${command.arguments}` : `unexpected argument '${extra}'`,
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

/** parseArgs says that an option is unknown; what was meant, it does not say. */
function refuseUnknown(command: Command, args: readonly string[], options: Record<string, Option>): void {
  const shorts = new Set(Object.values(options).flatMap(({ short }) => short ?? []))
  const known: ParseArgsOptionsConfig = Object.fromEntries(
    Object.entries(options).map(([name, { type, short }]) => [name, { type, ...(short && { short }) }]),
  )
  const { tokens } = parseArgs({ args: [...args], options: known, strict: false, allowPositionals: true, tokens: true })
  for (const token of tokens) {
    if (token.kind !== 'option' || Object.hasOwn(options, token.name) || shorts.has(token.name)) continue
    const near = closest(token.name, Object.keys(options))
    throw new UsageError(
      `${command.name} has no option '${token.rawName}'${near === undefined ? '' : `; did you mean '--${near}'?`}`,
    )
  }
}
