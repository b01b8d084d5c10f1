import { parseDictionary, Token, type Item, type InnerList } from 'structured-headers'
import {
  addNoCache,
  addPrivate,
  MAX_DELTA_SECONDS,
  noDirectives,
  parseCacheControl,
  type CacheControl,
} from './cache-control.ts'
import { fieldValue, type FieldList } from './message.ts'

/**
 * The fields that speak to this cache before Cache-Control does, the nearest first (RFC 9213 §2.2). All are passed on
 * downstream. `Surrogate-Control` is none of them: its draft was never finished, and every product read it differently.
 */
export const TARGETED_FIELDS = ['headrace-cache-control', 'cdn-cache-control'] as const

/** The directives that hold for this cache. */
export interface EffectiveDirectives {
  directives: CacheControl
  /** A targeted field was taken: Cache-Control and Expires say nothing to this cache (RFC 9213 §2.2). */
  targeted: boolean
}

export function effectiveDirectives(fields: FieldList): EffectiveDirectives {
  for (const name of TARGETED_FIELDS) {
    const value = fieldValue(fields, name)
    const directives = value === undefined ? undefined : parseTargeted(value)
    if (directives !== undefined) return { directives, targeted: true }
  }
  return { directives: parseCacheControl(fieldValue(fields, 'cache-control')), targeted: false }
}

/**
 * A targeted field (RFC 9213 §2.1), or `undefined` for one that must be ignored: empty, no Dictionary (RFC 9651 §3.2),
 * or with a directive that it defines in another type than it has, such as `max-age="10"` or `max-age=1.5`. Ignoring
 * that directive alone would drop the Cache-Control beside it, and with it perhaps a no-store.
 */
export function parseTargeted(value: string): CacheControl | undefined {
  let members: Map<string, Item | InnerList>
  try {
    members = parseDictionary(value)
  } catch {
    return undefined
  }
  if (members.size === 0) return undefined
  const decimals = decimalMembers(value)
  const into = noDirectives()
  for (const [name, [item]] of members) {
    if (!apply(into, name, decimals.has(name) ? 'decimal' : item)) return undefined
  }
  return into
}

/** `false` where the value is not of the directive's type. */
function apply(into: CacheControl, name: string, item: unknown): boolean {
  switch (name) {
    case 'max-age':
      return isSeconds(item) && ((into.maxAge = clamped(item)), true)
    case 's-maxage':
      return isSeconds(item) && ((into.sMaxage = clamped(item)), true)
    case 'stale-while-revalidate':
      return isSeconds(item) && ((into.staleWhileRevalidate = clamped(item)), true)
    case 'stale-if-error':
      return isSeconds(item) && ((into.staleIfError = clamped(item)), true)
    case 'no-store':
      return item === true && (into.noStore = true)
    case 'must-revalidate':
      return item === true && (into.mustRevalidate = true)
    case 'proxy-revalidate':
      return item === true && (into.proxyRevalidate = true)
    case 'public':
      return item === true && (into.public = true)
    case 'must-understand':
      return item === true && (into.mustUnderstand = true)
    case 'immutable':
      return item === true && (into.immutable = true)
    case 'no-transform':
      return item === true && (into.noTransform = true)
    case 'no-cache':
      return isNames(item) && (addNoCache(into, namesOf(item)), true)
    case 'private':
      return isNames(item) && (addPrivate(into, namesOf(item)), true)
    default:
      return true
  }
}

const isSeconds = (item: unknown): item is number => typeof item === 'number' && Number.isInteger(item)

/** A negative lifetime is a stale one (RFC 9111 §4.2.1). */
const clamped = (given: number): number => Math.min(Math.max(given, 0), MAX_DELTA_SECONDS)

const isNames = (item: unknown): item is true | string | Token =>
  item === true || typeof item === 'string' || item instanceof Token

const namesOf = (item: true | string | Token): string | undefined => (item === true ? undefined : item.toString())

/**
 * The members written as Decimals. The library gives a number for `10` and for `10.0`, and RFC 9213 §2.1 wants the
 * second left alone. The value is a Dictionary already, so a comma outside of strings separates members.
 */
function decimalMembers(value: string): ReadonlySet<string> {
  if (!value.includes('.')) return NONE
  const plain = value.replace(/"(?:[^"\\]|\\.)*"/g, '""')
  return new Set(
    Array.from(plain.matchAll(/(?:^|,)[ \t]*([a-z*][a-z0-9_.*-]*)=-?\d+\./g), (match) => match[1] as string),
  )
}

const NONE: ReadonlySet<string> = new Set()
