import { dirname, relative } from 'node:path'
import { type Config, configOf } from './config.ts'
import { type Environment, readEnvironment, type Variables } from './environment.ts'
import { findConfig, type FoundConfig } from './find.ts'
import { type Flags, overlay } from './overlay.ts'
import { type Complaint, formatPath, type Path, type Problem, Report, type Span } from './problem.ts'
import type { Settings } from './schema.ts'
import { isUnset, type Source } from './source/source.ts'
import { validate } from './validate.ts'
import { misspeltSecrets, veiled } from './veil.ts'

export interface LoadOptions {
  /** The working directory: where the file is looked for. */
  cwd: string
  variables: Variables
  /** `--config`. */
  file?: string | undefined
  /** Instead of a file: what `headrace <url>` serves. */
  inline?: unknown
  flags?: Flags
  /** For code that is evaluated; default: 5 s. */
  timeoutMs?: number
}

export interface ValidConfig {
  ok: true
  config: Config
  /** As people write it, defaults filled in. */
  settings: Settings
  file: string | null
  /** What it was read from, and whatever its file imports; some may not exist (`.env`). */
  sources: string[]
}

export type Loaded = ValidConfig | { ok: false; problems: Problem[]; file: string | null }

/**
 * Finds, reads, merges, validates and resolves a configuration: the command line over the environment over the file over
 * the defaults. Never throws for what a person wrote: every fault is a {@link Problem}, all of them at once.
 */
export async function loadConfig(options: LoadOptions): Promise<Loaded> {
  const { cwd, variables, flags = {} } = options
  if (options.inline !== undefined) {
    const source = { value: options.inline, complaints: [], locate: () => undefined, isUnset }
    return settle(source, { environment: readEnvironment(cwd, variables), flags, cwd, file: null, root: cwd, text: '' })
  }
  const found = findConfig(cwd, options.file)
  if ('code' in found) {
    const { code, message, file } = found
    const source = file === null ? null : shown(file, cwd)
    const place = { path: '', suggestion: null, source, line: null, column: null, excerpt: null }
    return { ok: false, problems: [{ code, message, ...place }], file }
  }
  const { file, text } = found
  const root = dirname(file)
  const environment = readEnvironment(root, variables)
  const source = await read(found, environment, options.timeoutMs)
  return settle(source, { environment, flags, cwd, file, root, text })
}

/** Each with a parser of its own, which no other file needs to wait for. */
async function read(
  { file, text, format }: FoundConfig,
  environment: Environment,
  timeoutMs: number | undefined,
): Promise<Source> {
  switch (format) {
    case 'script':
      return (await import('./source/script.ts')).readScript(file, text, { environment, timeoutMs })
    case 'yaml':
      return (await import('./source/yaml.ts')).readYaml(text, environment)
    case 'json':
      return (await import('./source/json.ts')).readJson(text, environment)
  }
}

interface Context {
  environment: Environment
  flags: Flags
  cwd: string
  file: string | null
  root: string
  text: string
}

function settle(source: Source, { environment, flags, cwd, file, root, text }: Context): Loaded {
  const report = new Report()
  report.complaints.push(...source.complaints)
  const { value, origins } = overlay(source.value, environment, flags)
  // A file that could not be read holds nothing to judge.
  const isReadable = value !== undefined
  const settings = isReadable ? validate(value, { report, root, isUnset: source.isUnset }) : undefined
  if (settings !== undefined && report.complaints.length === 0) {
    const own = file === null ? [] : [file]
    const sources = [...own, environment.file, ...(source.modules ?? [])]
    return { ok: true, config: configOf(settings, { file, root }), settings, file, sources }
  }
  const name = file === null ? null : shown(file, cwd)
  const place = { source, origins, name, text, misspelt: misspeltSecrets(report.complaints) }
  const problems = report.complaints.map((complaint) => problemOf(complaint, place))
  return { ok: false, problems: inOrder(problems), file }
}

interface Place {
  source: Source
  origins: Map<string, string>
  name: string | null
  text: string
  /** Names that were meant for those of secrets. */
  misspelt: readonly string[]
}

function problemOf(complaint: Complaint, { source, origins, name, text, misspelt }: Place): Problem {
  const { code, message, path, suggestion = null, secret = false } = complaint
  const formatted = formatPath(path)
  const origin = origins.get(formatted)
  const span = origin === undefined ? (complaint.span ?? deepest(source, path, complaint.at)) : undefined
  const base = { code, message, path: formatted, suggestion, source: origin ?? name }
  if (span === undefined || text === '') return { ...base, line: null, column: null, excerpt: null }
  const start = text.lastIndexOf('\n', span.start - 1) + 1
  const end = text.indexOf('\n', span.start)
  const line = text.slice(start, end === -1 ? text.length : end).replace(/\r$/, '')
  const offset = span.start - start
  const length = Math.max(1, Math.min(span.length, line.length - offset))
  return {
    ...base,
    line: text.slice(0, start).split('\n').length,
    column: offset + 1,
    excerpt: { text: veiled(line, { offset, length, path, secret, misspelt }), length },
  }
}

/** The place of a path, or of the nearest thing around it that the text shows. */
function deepest(source: Source, path: Path, at: 'key' | 'value'): Span | undefined {
  const exact = source.locate(path, at)
  if (exact !== undefined) return exact
  for (let length = path.length - 1; length > 0; length--) {
    const around = source.locate(path.slice(0, length), 'key')
    if (around !== undefined) return around
  }
  return undefined
}

/** As they stand in the file, those without a place last; said once. */
function inOrder(problems: Problem[]): Problem[] {
  const order = ({ line, column }: Problem): number => (line ?? 1e9) * 1e4 + (column ?? 0)
  const seen = new Set<string>()
  return problems
    .filter(({ source, line, column, message }) => {
      const key = JSON.stringify([source, line, column, message])
      return !seen.has(key) && seen.add(key)
    })
    .sort((a, b) => order(a) - order(b))
}

function shown(file: string, cwd: string): string {
  const short = relative(cwd, file)
  return short === '' || short.startsWith('..') ? file : short
}
