import type { RouteCacheInput } from '../../services/cache/options.ts'
import { NEVER_STORED } from '../../services/cache/rules/status.ts'
import { bytes } from '../../services/options/schema.ts'
import { isToken } from '../../services/options/token.ts'
import { parseRouteKey } from '../../services/routing/pattern.ts'
import type { CheckContext, Say } from './context.ts'

/** What stands in `cache` has an effect, and one that is meant. */
export function checkCache({ settings, report }: CheckContext): void {
  const caches = Object.entries(settings.routes).flatMap(([key, { cache }]) =>
    typeof cache === 'object' ? [{ key, cache }] : [],
  )
  const { memory } = settings.cache
  const total = memory.enabled ? bytes(memory.bytes) : Infinity
  for (const { key, cache } of caches) {
    const say: Say = (path, message, suggestion) => {
      report.add('HR_CONFIG_CACHE', ['routes', key, 'cache', ...path], message, { suggestion })
    }
    checkStatuses(cache, say)
    checkVaryBy(cache, say)
    checkQuery(cache, say)
    checkLifetimes(cache, say)
    if (cache.maxEntryBytes !== undefined && bytes(cache.maxEntryBytes) > total) {
      say(['maxEntryBytes'], `nothing larger than cache.memory.bytes (${memory.bytes}) is ever stored`)
    }
    if (!report.touches('routes', key)) checkMethods(key, cache, say)
  }
}

function checkStatuses({ statuses = [] }: RouteCacheInput, say: Say): void {
  statuses.forEach((status, index) => {
    const reason = whyNeverStored(status)
    if (reason !== undefined) say(['statuses', index], reason)
    else if (statuses.indexOf(status) < index) say(['statuses', index], `${status} is listed already`)
  })
}

function whyNeverStored(status: number): string | undefined {
  if (status === 206) return 'a 206 is a part of a 200, and stored where 200 is: list 200'
  if (status === 401) return 'a 401 is about the credentials of one request, and would be answered to all: leave it out'
  if (NEVER_STORED.has(status)) return `a ${status} is about one request, and never stored: leave it out`
  return undefined
}

/** What a key has anyway, or what must be in none. */
const NOT_IN_KEYS: Readonly<Record<string, string>> = {
  authorization:
    'what depends on credentials is not shared: leave the route without a cache, or vary by a field that names the group of clients (x-tenant)',
  cookie: 'every client has other cookies: name those that matter in varyBy.cookies',
  host: 'scheme and host are part of every key',
  range: 'ranges are answered from what is stored whole',
  'if-none-match': 'conditional requests are answered from what is stored',
  'if-modified-since': 'conditional requests are answered from what is stored',
  'cache-control': 'clientDirectives says what it may do',
  ...Object.fromEntries(
    ['forwarded', 'via', 'x-forwarded-for', 'x-real-ip', 'x-request-id'].map((name) => [
      name,
      'the gateway writes it anew, for each client another: what depends on it cannot be shared',
    ]),
  ),
  'x-forwarded-host': 'scheme and host are part of every key',
  'x-forwarded-proto': 'scheme and host are part of every key',
}

function checkVaryBy({ varyBy: { headers, cookies } }: RouteCacheInput, say: Say): void {
  const names = headers.map((name) => name.toLowerCase())
  names.forEach((name, index) => {
    const path = ['varyBy', 'headers', index]
    const refused = Object.hasOwn(NOT_IN_KEYS, name) ? NOT_IN_KEYS[name] : undefined
    if (refused !== undefined) say(path, refused)
    else if (!isToken(name)) say(path, `'${headers[index]}' is no name of a field`)
    else if (names.indexOf(name) < index) say(path, `'${headers[index]}' is listed already`)
  })
  cookies.forEach((name, index) => {
    const path = ['varyBy', 'cookies', index]
    if (!isToken(name)) say(path, `'${name}' is no name of a cookie`)
    else if (cookies.indexOf(name) < index) say(path, `'${name}' is listed already`)
  })
}

function checkQuery({ ignoreQuery }: RouteCacheInput, say: Say): void {
  ignoreQuery.forEach((pattern, index) => {
    const path = ['ignoreQuery', index]
    if (pattern.slice(0, -1).includes('*')) {
      say(path, `in '${pattern}' the * stands for itself: it means any rest at the end only`)
      return
    }
    const cover = ignoreQuery.find(
      (other, at) => at !== index && covers(other, pattern) && (other !== pattern || at < index),
    )
    if (cover !== undefined)
      say(path, cover === pattern ? `'${pattern}' is listed already` : `'${cover}' covers '${pattern}' already`)
  })
}

function covers(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name
}

function checkLifetimes({ respectOrigin, ttl, negativeTtl }: RouteCacheInput, say: Say): void {
  if (!respectOrigin && ttl === undefined && negativeTtl === undefined) {
    say(['respectOrigin'], 'without a ttl there is nothing that could win over the origin: add ttl, or leave it out')
  }
}

/** What only matters to what is stored. */
const STORING = ['ttl', 'staleWhileRevalidate', 'staleIfError', 'statuses', 'negativeTtl', 'maxEntryBytes'] as const

function checkMethods(key: string, cache: RouteCacheInput, say: Say): void {
  const { methods } = parseRouteKey(key)
  const stored = ['GET', 'HEAD', ...cache.methods]
  if (methods === null || methods.some((method) => stored.includes(method))) return
  const idle = STORING.find((name) => cache[name] !== undefined) ?? idleOf(cache)
  if (idle === undefined) return
  const post = methods.includes('POST') ? "; POST is with methods: ['POST']" : ''
  say([idle], `nothing of ${methods.join(', ')} is stored, so ${idle} has no effect: keep invalidates${post}`)
}

function idleOf({ tags, send }: RouteCacheInput): 'tags' | 'send' | undefined {
  if (tags.length > 0) return 'tags'
  return send.cacheControl !== undefined || send.cdnCacheControl !== undefined ? 'send' : undefined
}
