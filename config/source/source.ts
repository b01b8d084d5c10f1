import type { Environment } from '../environment.ts'
import type { Complaint, Path, Span } from '../problem.ts'

/** What a file holds, and where in its text each part stands. */
export interface Source {
  /** `undefined` after a complaint that leaves nothing to validate. */
  value: unknown
  complaints: Complaint[]
  /** Where a property's name or value stands; `undefined` where the text does not show it. */
  locate: (path: Path, at: 'key' | 'value') => Span | undefined
  /** Tells what stands for a variable that is not set. */
  isUnset: (value: unknown) => boolean
  /** Files that belong to it, beside its own. */
  modules?: readonly string[]
}

/** What stands for a required variable that is not set: no text that a person writes. */
export const UNSET = '\u0000unset\u0000'

export function isUnset(value: unknown): boolean {
  return typeof value === 'string' && value.includes(UNSET)
}

/** A source with nothing but a complaint. */
export function broken(complaint: Omit<Complaint, 'path' | 'at'>): Source {
  return {
    value: undefined,
    complaints: [{ ...complaint, path: [], at: 'value' }],
    locate: () => undefined,
    isUnset,
  }
}

const REFERENCE = /\$(\$\{)|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-((?:[^}\\]|\\.)*))?\}/g

/**
 * Puts variables into text: `${NAME}` must be set, `${NAME:-default}` need not be; `$${` stands for `${`.
 *
 * @param unset told of each variable that is not set and has no default
 */
export function substitute(text: string, environment: Environment, unset: (name: string) => void): string {
  if (!text.includes('${')) return text
  return text.replace(REFERENCE, (_match, escaped: string | undefined, name: string, fallback: string | undefined) => {
    if (escaped !== undefined) return escaped
    const value = environment.get(name) ?? fallback
    if (value !== undefined) return value
    unset(name)
    return UNSET
  })
}

/** Text that looks like a variable of a shell's, and is none here: left as it is, it would be a password, say. */
export function mistakenReference(text: string): { message: string; suggestion: string } | undefined {
  const name = /^\$([A-Z_][A-Z0-9_]*)$/.exec(text)?.[1]
  if (name === undefined) return undefined
  return { message: `'$${name}' is not replaced: a variable is written \${${name}}`, suggestion: `\${${name}}` }
}

/** Said of each variable that is not set. */
export function unsetMessage(name: string): string {
  return `the environment variable ${name} is not set`
}
