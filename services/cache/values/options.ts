import { parseDuration } from '../../options/units.ts'
import { CacheOptionError, ValueTagsError } from './errors.ts'

/** How a value is kept. Durations as in the configuration: `'30s'`, `'5m'`, `'short'` (5 minutes), `'long'` (1 hour). */
export interface ValueOptions {
  /** How long it is fresh; default `'long'`. */
  ttl?: string
  /** The same for `null` and `undefined`, the answers "there is none"; `'0s'`: not stored. Default: `ttl`. */
  negativeTtl?: string
  /** So long after that it is served at once, while one call makes it anew; default: not at all. */
  staleWhileRevalidate?: string
  /** So long after that it is served where making it anew fails; default: not at all. */
  staleIfError?: string
  /** Names by which it is purged: at most 64. */
  tags?: readonly string[]
  /** How long making it may take; default `'30s'`, at most `'10m'`. */
  timeout?: string
}

/** {@link ValueOptions} in milliseconds, checked. */
export interface ValuePolicy {
  ttlMs: number
  negativeTtlMs: number
  staleWhileRevalidateMs: number
  staleIfErrorMs: number
  tags: readonly string[]
  timeoutMs: number
}

const NAMED_MS: Readonly<Record<string, number>> = { short: 300_000, long: 3_600_000 }
const LONGEST_TIMEOUT_MS = 600_000
/** Characters. */
const LONGEST_TAG = 256
const MOST_TAGS = 64

/** @throws HR_CACHE_OPTION, HR_CACHE_TAGS */
export function valuePolicy(options: ValueOptions): ValuePolicy {
  checkNames(options)
  const ttlMs = duration('ttl', options.ttl ?? 'long')
  const timeoutMs = duration('timeout', options.timeout ?? '30s')
  if (timeoutMs < 1 || timeoutMs > LONGEST_TIMEOUT_MS) {
    throw new CacheOptionError(`timeout is '${options.timeout}'; it may be from 1ms to 10m`)
  }
  return {
    ttlMs,
    negativeTtlMs: options.negativeTtl === undefined ? ttlMs : duration('negativeTtl', options.negativeTtl),
    staleWhileRevalidateMs: duration('staleWhileRevalidate', options.staleWhileRevalidate ?? '0s'),
    staleIfErrorMs: duration('staleIfError', options.staleIfError ?? '0s'),
    tags: checkedTags(options.tags ?? NO_TAGS),
    timeoutMs,
  }
}

const NAMES = [
  'ttl',
  'negativeTtl',
  'staleWhileRevalidate',
  'staleIfError',
  'tags',
  'timeout',
] as const satisfies (keyof ValueOptions)[]
const names: ReadonlySet<string> = new Set(NAMES)

/** A misspelt option would leave its default in force. @throws HR_CACHE_OPTION */
function checkNames(options: unknown): void {
  if (typeof options !== 'object' || options === null) {
    throw new CacheOptionError(`the options of a value are '${String(options)}'; write them as { ttl: '5m' }`)
  }
  for (const name of Object.keys(options)) {
    if (!names.has(name)) throw new CacheOptionError(`a value has no option '${name}'; it has ${NAMES.join(', ')}`)
  }
}

/** @throws HR_CACHE_TAGS */
function checkedTags(tags: readonly string[]): readonly string[] {
  if (!Array.isArray(tags)) throw new ValueTagsError('are no list')
  if (tags.length > MOST_TAGS) throw new ValueTagsError(`are ${tags.length}, and may be ${MOST_TAGS}`)
  for (const tag of tags as unknown[]) {
    if (typeof tag === 'string' && tag !== '' && tag.length <= LONGEST_TAG) continue
    throw new ValueTagsError(`hold one that is no text of 1 to ${LONGEST_TAG} characters`)
  }
  return tags
}

const NO_TAGS: readonly string[] = Object.freeze([])

function duration(name: string, text: string): number {
  const ms = typeof text === 'string' ? (NAMED_MS[text] ?? parseDuration(text)) : undefined
  if (ms !== undefined && Number.isSafeInteger(ms)) return ms
  throw new CacheOptionError(`${name} is '${String(text)}'; write a duration such as '30s', '5m' or 'long'`)
}
