/**
 * Cache-Control of requests and responses (RFC 9111 §5.2, RFC 5861, RFC 8246), read so that a doubt never makes a cache
 * keep or share more: the shorter of two lifetimes, 0 for a lifetime that cannot be read, the wider of two refusals.
 */

/** The largest delta-seconds that is told apart; more is taken for it (RFC 9111 §1.2.2). */
export const MAX_DELTA_SECONDS = 2_147_483_647

/** All directives that the cache acts on; others are ignored (§5.2.3). Seconds; `null` where the directive is absent. */
export interface CacheControl {
  /** An unreadable argument counts as 0: stale (§4.2.1). */
  maxAge: number | null
  sMaxage: number | null
  /** RFC 5861. An unreadable argument counts as absent: nothing is permitted by it. */
  staleWhileRevalidate: number | null
  staleIfError: number | null
  noStore: boolean
  /** Without field names: the response as a whole. */
  noCache: boolean
  private: boolean
  /** The field names of `no-cache="…"` and `private="…"`, in lower case (§5.2.2.4, §5.2.2.7). */
  noCacheFields: readonly string[]
  privateFields: readonly string[]
  public: boolean
  mustRevalidate: boolean
  proxyRevalidate: boolean
  mustUnderstand: boolean
  immutable: boolean
  noTransform: boolean
  /** Of requests only. `max-stale` without a number: {@link MAX_DELTA_SECONDS}. */
  maxStale: number | null
  minFresh: number | null
  onlyIfCached: boolean
}

export function noDirectives(): CacheControl {
  return {
    maxAge: null,
    sMaxage: null,
    staleWhileRevalidate: null,
    staleIfError: null,
    noStore: false,
    noCache: false,
    private: false,
    noCacheFields: NO_FIELDS,
    privateFields: NO_FIELDS,
    public: false,
    mustRevalidate: false,
    proxyRevalidate: false,
    mustUnderstand: false,
    immutable: false,
    noTransform: false,
    maxStale: null,
    minFresh: null,
    onlyIfCached: false,
  }
}

const NO_FIELDS: readonly string[] = Object.freeze([])

/** One directive as written. */
interface Directive {
  /** In lower case. */
  name: string
  /** Unquoted; `undefined` where there is none. */
  argument: string | undefined
  /** `false` where something other than a comma follows: `max-age=60; private`, `max-age =60`. */
  wellFormed: boolean
}

/** @param value the lines joined with `, `; `undefined` for no field */
export function parseCacheControl(value: string | undefined): CacheControl {
  const into = noDirectives()
  if (value === undefined) return into
  const end = value.length
  let at = 0
  while (at < end) {
    const code = value.charCodeAt(at)
    if (code === QUOTE) {
      // A string where a name should be: nothing in it is a directive.
      const close = closingQuote(value, at)
      if (close === -1) return unreadable(into)
      at = close + 1
    } else if (isTokenCode(code)) {
      const nameEnd = tokenEnd(value, at)
      const directive: Directive = {
        name: value.slice(at, nameEnd).toLowerCase(),
        argument: undefined,
        wellFormed: true,
      }
      at = nameEnd
      if (value.charCodeAt(at) === EQUALS) {
        at++
        if (value.charCodeAt(at) === QUOTE) {
          const close = closingQuote(value, at)
          if (close === -1) return unreadable(into)
          directive.argument = unquote(value.slice(at + 1, close))
          at = close + 1
        } else {
          const argumentEnd = tokenEnd(value, at)
          directive.argument = value.slice(at, argumentEnd)
          at = argumentEnd
        }
      }
      while (at < end && isBlank(value.charCodeAt(at))) at++
      directive.wellFormed = at >= end || value.charCodeAt(at) === COMMA
      apply(into, directive)
    } else {
      at++
    }
  }
  return into
}

/** A string without an end: what is a directive and what is not cannot be told, so nothing is shared. */
function unreadable(into: CacheControl): CacheControl {
  into.private = true
  return into
}

function apply(into: CacheControl, directive: Directive): void {
  const { argument, wellFormed } = directive
  switch (directive.name) {
    case 'max-age':
      into.maxAge = shorter(into.maxAge, seconds(directive) ?? 0)
      break
    case 's-maxage':
      into.sMaxage = shorter(into.sMaxage, seconds(directive) ?? 0)
      break
    case 'stale-while-revalidate':
      into.staleWhileRevalidate = shorter(into.staleWhileRevalidate, seconds(directive))
      break
    case 'stale-if-error':
      into.staleIfError = shorter(into.staleIfError, seconds(directive))
      break
    case 'max-stale':
      into.maxStale = shorter(
        into.maxStale,
        argument === undefined && wellFormed ? MAX_DELTA_SECONDS : (seconds(directive) ?? 0),
      )
      break
    case 'min-fresh': {
      const given = seconds(directive)
      if (given !== undefined && (into.minFresh === null || given > into.minFresh)) into.minFresh = given
      break
    }
    case 'no-cache':
      addNoCache(into, wellFormed ? argument : undefined)
      break
    case 'private':
      addPrivate(into, wellFormed ? argument : undefined)
      break
    // What refuses holds however it is written.
    case 'no-store':
      into.noStore = true
      break
    case 'must-revalidate':
      into.mustRevalidate = true
      break
    case 'proxy-revalidate':
      into.proxyRevalidate = true
      break
    case 'no-transform':
      into.noTransform = true
      break
    case 'only-if-cached':
      into.onlyIfCached = true
      break
    // What permits holds only as defined.
    case 'public':
      into.public ||= argument === undefined && wellFormed
      break
    case 'must-understand':
      into.mustUnderstand ||= argument === undefined && wellFormed
      break
    case 'immutable':
      into.immutable ||= argument === undefined && wellFormed
      break
    default:
  }
}

/** Takes `no-cache`, with the names that it is limited to if any. */
export function addNoCache(into: CacheControl, names: string | undefined): void {
  const fields = names === undefined ? undefined : separableFields(names)
  if (fields === undefined) into.noCache = true
  else into.noCacheFields = [...into.noCacheFields, ...fields]
}

/** Takes `private`, with the names that it is limited to if any. */
export function addPrivate(into: CacheControl, names: string | undefined): void {
  const fields = names === undefined ? undefined : separableFields(names)
  if (fields === undefined) into.private = true
  else into.privateFields = [...into.privateFields, ...fields]
}

/** Without these a stored response means something else, or is reused by other rules. */
const INSEPARABLE: ReadonlySet<string> = new Set([
  'age',
  'cache-control',
  'cdn-cache-control',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'date',
  'expires',
  'headrace-cache-control',
  'location',
  'vary',
])

/**
 * The names of a qualified directive, or `undefined` where it has to be taken for the unqualified one (which §5.2.2.4
 * and §5.2.2.7 allow): an empty or broken list, or a field that the response cannot be stored without.
 */
function separableFields(list: string): string[] | undefined {
  const names = list.split(',').map((name) => name.trim().toLowerCase())
  for (const name of names) {
    if (name === '' || tokenEnd(name, 0) !== name.length || INSEPARABLE.has(name)) return undefined
  }
  return names
}

function shorter(known: number | null, given: number | undefined): number | null {
  if (given === undefined) return known
  return known === null || given < known ? given : known
}

/** `undefined` for what is no delta-seconds: missing, signed, with a fraction, with a letter (RFC 9111 §1.2.2). */
function seconds(directive: Directive): number | undefined {
  return directive.wellFormed && directive.argument !== undefined ? deltaSeconds(directive.argument) : undefined
}

/** The number that `text` writes in decimal digits, at most {@link MAX_DELTA_SECONDS} (RFC 9111 §1.2.2). */
export function deltaSeconds(text: string): number | undefined {
  if (text.length === 0) return undefined
  let value = 0
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48
    if (digit < 0 || digit > 9) return undefined
    if (value <= MAX_DELTA_SECONDS) value = value * 10 + digit
  }
  return value > MAX_DELTA_SECONDS ? MAX_DELTA_SECONDS : value
}

const QUOTE = 34
const COMMA = 44
const EQUALS = 61
const BACKSLASH = 92

const isBlank = (code: number): boolean => code === 32 || code === 9

/** `tchar` (RFC 9110 §5.6.2). */
const TOKEN = Array.from({ length: 128 }, (_, code) => /[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(String.fromCharCode(code)))
const isTokenCode = (code: number): boolean => TOKEN[code] === true

function tokenEnd(text: string, from: number): number {
  let at = from
  while (at < text.length && isTokenCode(text.charCodeAt(at))) at++
  return at
}

function closingQuote(text: string, open: number): number {
  for (let at = open + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === BACKSLASH) at++
    else if (code === QUOTE) return at
  }
  return -1
}

const unquote = (text: string): string => (text.includes('\\') ? text.replace(/\\(.)/gs, '$1') : text)
