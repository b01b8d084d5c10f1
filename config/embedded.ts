import type { Config } from './config.ts'
import type { ConfigInput } from './input.ts'
import { Report } from './problem.ts'
import { resolveConfig } from './resolve.ts'
import { configSchema } from './schema.ts'
import { closest } from './suggest.ts'
import { isRecord } from './value.ts'

/** What means something without listeners and processes of our own. */
const PROPERTIES = [
  'upstreams',
  'routes',
  'access',
  'cache',
  'compression',
  'workers',
  'redis',
  'dataDir',
  'forwarded',
  'limits',
  'maintenance',
  'pressure',
  'metrics',
  'rateLimit',
  'tiers',
  'serverTiming',
] as const
const LIMITS = ['bodySize', 'sendTimeout'] as const

type Limits = NonNullable<ConfigInput['limits']>

/** The part of the configuration that a gateway inside another application takes, as people write it. */
export type EmbeddedInput = Pick<ConfigInput, Exclude<(typeof PROPERTIES)[number], 'limits'>> & {
  readonly limits?: Pick<Limits, (typeof LIMITS)[number]> | undefined
}

/**
 * The configuration of a gateway that listens nowhere: the same checks and messages as for a file, and a complaint for
 * each property that would have no effect.
 *
 * @param root the folder that relative paths start from; default: the working directory
 * @throws HR_CONFIG_INVALID, every problem in its message and, as data, in its `problems`
 */
export function resolveEmbedded(input: Record<string, unknown>, { root }: { root?: string } = {}): Config {
  const report = new Report()
  const kept = keep(input, PROPERTIES, [], report)
  if (isRecord(kept.limits)) kept.limits = keep(kept.limits, LIMITS, ['limits'], report)
  // A library writes no files unless it is told to.
  if (kept.cache === undefined) kept.cache = { disk: { enabled: false } }
  else if (isRecord(kept.cache) && kept.cache.disk === undefined)
    kept.cache = { ...kept.cache, disk: { enabled: false } }
  // There are none of our own: a route may have any path.
  const endpoints = { health: false, ready: false, docs: false, openapi: false, performance: false, metrics: false }
  return resolveConfig({ ...kept, admin: false, endpoints }, { report, ...(root !== undefined && { root }) })
}

function keep(
  input: Record<string, unknown>,
  names: readonly string[],
  path: readonly string[],
  report: Report,
): Record<string, unknown> {
  const known = path.length === 0 ? configSchema.properties : configSchema.properties.limits.properties
  const entries = Object.entries(input).filter(([key, value]) => {
    if (names.includes(key) || value === undefined) return true
    const message = Object.hasOwn(known, key)
      ? `'${key}' has no effect inside another application: listeners and processes are that application's`
      : `unknown property '${key}'`
    const suggestion = Object.hasOwn(known, key) ? undefined : closest(key, [...names])
    report.add('HR_CONFIG_UNKNOWN_KEY', [...path, key], message, { at: 'key', suggestion })
    return false
  })
  return Object.fromEntries(entries)
}
