import { EnvironmentUnsetError } from './errors.ts'
import type { ConfigInput, FromEnvironment } from './input.ts'

/**
 * What the loader's worker leaves for `env()`: a stand-in for a required variable that is not set, so that all of them
 * are reported at once and not the first alone.
 */
const kUnset = Symbol.for('headrace.config.unset')

/** Gives a configuration its type: completion and checks in the editor. Returns what it is given. */
export function defineConfig(config: ConfigInput): ConfigInput {
  return config
}

/**
 * An environment variable; one that is empty counts as not set. With a default, the result has the type of the default:
 * `env('PORT', 8080)` is a number, `env('METRICS', true)` a boolean. What does not convert stays text, which the
 * validation then reports where it stands.
 *
 * @throws HR_CONFIG_ENV_UNSET without a default, outside of the loader (which reports it with its place)
 */
export function env(name: string): FromEnvironment
export function env(name: string, fallback: string): string
export function env(name: string, fallback: number): number
export function env(name: string, fallback: boolean): boolean
export function env(name: string, fallback?: string | number | boolean): string | number | boolean {
  const text = process.env[name]
  if (text !== undefined && text !== '') return convert(text, typeof fallback)
  if (fallback !== undefined) return fallback
  const standIn = (globalThis as { [kUnset]?: (name: string) => string })[kUnset]
  if (standIn === undefined) throw new EnvironmentUnsetError(name, name)
  return standIn(name)
}

function convert(text: string, type: string): string | number | boolean {
  if (type === 'number' && text.trim() !== '' && Number.isFinite(Number(text))) return Number(text)
  if (type === 'boolean' && (text === 'true' || text === '1')) return true
  if (type === 'boolean' && (text === 'false' || text === '0')) return false
  return text
}
