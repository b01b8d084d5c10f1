import type { ProblemCode } from './errors.ts'
import { withoutPasswords } from './value.ts'

/** Where a value stands in the configuration: `['upstreams', 'fleet', 'targets', 0]`. */
export type Path = readonly (string | number)[]

/** A part of a text: where it begins, and its length, in UTF-16 units. */
export interface Span {
  start: number
  length: number
}

/** Something wrong, by its place in the data. */
export interface Complaint {
  code: ProblemCode
  message: string
  path: Path
  /** What to underline: the property's name or its value. */
  at: 'key' | 'value'
  /** What was probably meant, as it would be written. */
  suggestion?: string | undefined
  /** What is underlined may be a secret: it is not shown. */
  secret?: boolean | undefined
  /** Where in the text, if that is known already (a syntax error, say). */
  span?: Span | undefined
}

/** Something wrong, by its place in the file: what `headrace check --json` prints. */
export interface Problem {
  code: ProblemCode
  message: string
  /** `upstreams.fleet.targets[0]`; empty for the whole. */
  path: string
  suggestion: string | null
  /** The file, or where else the value comes from: `PORT (environment)`; `null` for a configuration without a file. */
  source: string | null
  line: number | null
  column: number | null
  /** The line of the file, and how much of it to underline from the column on. */
  excerpt: { text: string; length: number } | null
}

/** Collects complaints; validation goes on after each, so that all are found in one run. */
export class Report {
  readonly complaints: Complaint[] = []

  add(code: ProblemCode, path: Path, message: string, more: Partial<Omit<Complaint, 'code' | 'path'>> = {}): void {
    const { suggestion } = more
    const meant = suggestion === undefined ? {} : { suggestion: withoutPasswords(suggestion) }
    this.complaints.push({ code, message: withoutPasswords(message), path, at: 'value', ...more, ...meant })
  }

  /** `true` when something at or below a path was complained of: what depends on it is better not judged. */
  touches(...path: Path): boolean {
    return this.complaints.some((complaint) => path.every((part, index) => complaint.path[index] === part))
  }
}

/** `['routes', 'GET /a', 'to']` → `routes['GET /a'].to` */
export function formatPath(path: Path): string {
  let text = ''
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`
    else if (/^[A-Za-z_][\w-]*$/.test(part)) text += text === '' ? part : `.${part}`
    else text += `['${part}']`
  }
  return text
}
