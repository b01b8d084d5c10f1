import { createHash } from 'node:crypto'
import type { RouteCache } from './context.ts'
import { lifeOf } from './retention.ts'
import { ageAt } from './rules/age.ts'
import { type FreshnessSource, freshnessOf } from './rules/freshness.ts'
import { isUrlTag } from './rules/own-tags.ts'
import { ABSENT } from './rules/vary.ts'
import type { Entry, Resource } from './store/entry.ts'
import { urlOf } from './store/selector.ts'
import type { ObservedRoute } from './report.ts'

/** One stored response, without its body. Times in whole seconds. */
export interface VariantReport {
  /** The process that holds it. */
  pid: number
  url: string
  /** First 16 hexadecimal digits of the key's SHA-256, as in the list of top keys. */
  name: string
  /** The route that it was stored for; `null` where the policy has changed since. */
  route: string | null
  /** What `varyBy` adds to the key: names without values. */
  varyBy: string[]
  status: number
  /** `stale`: kept to be validated, or for when the origin fails. */
  state: 'fresh' | 'stale'
  /** A soft purge came over it. */
  invalidated: boolean
  age: number
  /** Remaining freshness, negative once stale; `null` where every use is validated (`no-cache`). */
  ttl: number | null
  /** Where the lifetime comes from, and the lifetime; `null` where the route's policy is not known. */
  freshness: { source: FreshnessSource; lifetime: number } | null
  staleWhileRevalidateUntil: string | null
  staleIfErrorUntil: string | null
  storedAt: string
  tags: string[]
  /** The request fields that Vary names, with their normalised values, `null` for absent; credentials are left out. */
  vary: Record<string, string | null>
  /** Memory that it takes, and of that the body. */
  bytes: number
  bodyBytes: number
  hits: number
  fields: { name: string; value: string }[]
  /** Fields that are stored and not shown. */
  hidden: string[]
}

/** What is stored under a URL, in all processes. */
export interface EntryReport {
  /** As keys have it. */
  url: string
  variants: VariantReport[]
  /** Further ones that are not listed. */
  more: number
}

/** Variants told of by a process, at most. */
const MOST_VARIANTS = 50
const HIDDEN = '[hidden]'

/** Names of fields that hold credentials, or may. */
const SECRET =
  /^(?:set-cookie2?|cookie2?|(?:proxy-)?(?:authorization|authenticate|authentication-info)|www-authenticate|authentication-info)$|token|secret|passw|api-?key|session|signature|credential/

/**
 * What one process holds under a URL.
 *
 * @param now milliseconds since 1970
 */
export function reportEntries(
  url: string,
  resources: readonly Resource[],
  routes: readonly ObservedRoute[],
  now: number,
): EntryReport {
  const entries = resources.flatMap((resource) => resource.entries)
  return {
    url,
    variants: entries.slice(0, MOST_VARIANTS).map((entry) => reportVariant(entry, routes, now)),
    more: Math.max(0, entries.length - MOST_VARIANTS),
  }
}

export function mergeEntries(parts: readonly EntryReport[]): EntryReport {
  return {
    url: (parts[0] as EntryReport).url,
    variants: parts.flatMap(({ variants }) => variants),
    more: parts.reduce((total, { more }) => total + more, 0),
  }
}

function reportVariant(entry: Entry, routes: readonly ObservedRoute[], now: number): VariantReport {
  const { key, stored, bornAt, freshUntil } = entry
  const found = routeOf(key, routes)
  const fields = pairs(stored.fields)
  return {
    pid: process.pid,
    url: urlOf(key),
    name: createHash('sha256').update(key).digest('hex').slice(0, 16),
    route: found?.route ?? null,
    varyBy: key.split('\n').slice(1).map(nameOfExtra),
    status: stored.status,
    state: now < freshUntil ? 'fresh' : 'stale',
    invalidated: entry.invalidated,
    age: ageAt(bornAt, now),
    ttl: freshUntil === 0 ? null : Math.floor((freshUntil - now) / 1000),
    ...timesOf(entry, found),
    storedAt: new Date(stored.receivedAt).toISOString(),
    tags: stored.tags.filter((tag) => !isUrlTag(tag)),
    vary: Object.fromEntries(
      pairs(stored.vary).map(({ name, value }) => [name, value === ABSENT ? null : SECRET.test(name) ? HIDDEN : value]),
    ),
    bytes: entry.bytes,
    bodyBytes: stored.body.length,
    hits: entry.hits,
    fields: fields.filter(({ name }) => !SECRET.test(name)),
    hidden: [...new Set(fields.flatMap(({ name }) => (SECRET.test(name) ? name : [])))],
  }
}

type Times = Pick<VariantReport, 'freshness' | 'staleWhileRevalidateUntil' | 'staleIfErrorUntil'>

function timesOf(entry: Entry, found: { cache: RouteCache } | undefined): Times {
  if (found === undefined) return { freshness: null, staleWhileRevalidateUntil: null, staleIfErrorUntil: null }
  const { policy } = found.cache
  const { source, lifetime } = freshnessOf(entry.stored, policy)
  const life = lifeOf(entry, policy)
  const after = (until: number): string | null => (until > life.staleAt ? new Date(until).toISOString() : null)
  return {
    freshness: { source, lifetime },
    staleWhileRevalidateUntil: after(life.staleWhileRevalidateUntil),
    staleIfErrorUntil: after(life.staleIfErrorUntil),
  }
}

/** A key begins with the fingerprint of the policy that it was stored by. */
function routeOf(key: string, routes: readonly ObservedRoute[]): { route: string; cache: RouteCache } | undefined {
  for (const { key: route, cache } of routes) {
    if (cache !== null && key.startsWith(`${cache.policy.fingerprint} `)) return { route, cache }
  }
  return undefined
}

/** `x-tenant: a` is a field, `session=a` a cookie. */
function nameOfExtra(line: string): string {
  return line.slice(0, line.search(/[:=]|$/))
}

function pairs(list: readonly string[]): { name: string; value: string }[] {
  const found: { name: string; value: string }[] = []
  for (let i = 0; i < list.length; i += 2) found.push({ name: list[i] as string, value: list[i + 1] as string })
  return found
}
