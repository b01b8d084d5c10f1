import type { Content, Told } from '../downstream/exchange.ts'
import type { Identity } from '../downstream/identity.ts'
import { cookiesOf } from '../http/cookie.ts'
import { parseAuthority } from '../http/host.ts'
import type { RequestFields } from '../http/request-fields.ts'
import { identityPart } from './identity-key.ts'
import type { CachePolicy } from './policy.ts'
import { requestFieldValue } from './rules/message.ts'
import { canonicalQuery } from './rules/no-vary-search.ts'
import type { KnownVariation } from './search-variations.ts'

/** A URL without its query. */
export interface Place {
  scheme: 'http' | 'https'
  authority: string
  path: string
}

/** What a key is made of. */
export interface Keyed extends Place {
  query: string
  fields: Pick<RequestFields, 'kept' | 'cookie'>
  told?: Pick<Told, 'host'> | undefined
  /** Of a QUERY. */
  content?: Content | undefined
  /** Who calls. */
  identity?: Identity | undefined
}

/**
 * The primary key of a request (RFC 9111 §2, §4): the policy's fingerprint, the URL as the origin is told it, and what
 * `varyBy` adds, and who calls on a route that asks. Scheme and host always belong to it: upstreams get both (X-Forwarded-*), so both can shape an answer.
 * HEAD shares GET's key; the key of a QUERY has its content in it (RFC 10008 §2.7), and no other method has one.
 *
 * @param variation what of the query matters, where responses said so: what is stored for it is found by it alone
 */
export function cacheKey(policy: CachePolicy, exchange: Keyed, variation?: KnownVariation): string {
  let key = `${policy.fingerprint} ${cacheUrl(policy, exchange, variation)}`
  const { headers, cookies } = policy.varyBy
  // No value has a line break in it, so that a name cannot be made up by another's value.
  for (const name of headers) key += `\n${name}: ${requestFieldValue(exchange.fields.kept, name) ?? ''}`
  for (const name of cookies) key += `\n${name}=${cookiesOf(exchange.fields.cookie, name)}`
  if (policy.identity !== null) key += identityPart(policy.identity, exchange.identity)
  const { told, content } = exchange
  // A trusted proxy may name another host than it asks: upstreams are told both.
  if (told?.host !== undefined && told.host !== exchange.authority) {
    key += `\nx-forwarded-host: ${told.host}\nhost: ${exchange.authority}`
  }
  if (content !== undefined) key += `\nQUERY ${content.digest}`
  if (variation !== undefined) key += `\nno-vary-search: ${variation.text}`
  return key
}

/**
 * The URL part of the key, by which entries are purged: `https://api.example.com/vehicles?page=2`. Its host is the one that
 * clients know, where a trusted proxy tells it.
 */
function cacheUrl(policy: CachePolicy, exchange: Keyed, variation?: KnownVariation): string {
  const origin = toldOrigin(exchange) ?? originOf(exchange)
  return `${origin}${exchange.path}${keptQuery(policy, exchange.query, variation)}`
}

/** Scheme and authority by which a trusted proxy was asked; `undefined` where they are those of the request. */
export function toldOrigin({
  scheme,
  authority,
  told,
}: Pick<Keyed, 'scheme' | 'authority' | 'told'>): string | undefined {
  if (told?.host === undefined || told.host === authority) return undefined
  const asked = parseAuthority(told.host)?.authority
  return asked === undefined || asked === authority ? undefined : originOf({ scheme, authority: asked })
}

/** What {@link SearchVariations} knows a path by. */
export function pathOf(policy: CachePolicy, place: Place): string {
  return `${policy.fingerprint} ${originOf(place)}${place.path}`
}

/** Scheme and authority, as the request names them. */
export function originOf({ scheme, authority }: Pick<Place, 'scheme' | 'authority'>): string {
  return `${scheme}://${authority}`
}

/** A query as it stands in the URL of a key: with its `?`, or empty. */
export function keptQuery(policy: CachePolicy, query: string, variation?: KnownVariation): string {
  const kept = query === '' ? query : normalQuery(query, policy.query)
  if (variation === undefined) return kept
  const canonical = canonicalQuery(kept.slice(1), variation)
  return canonical === '' ? '' : `?${canonical}`
}

/**
 * A query as it stands in the key: without ignored parameters, sorted where the policy says so. Names are compared as
 * they were sent; a parameter that stands twice is kept twice, in order, for origins disagree on which one counts.
 *
 * @param query with its `?`
 */
export function normalQuery(query: string, { ignore, sort }: CachePolicy['query']): string {
  if (ignore.length === 0 && !sort) return query
  let pairs = query.slice(1).split('&')
  // To an origin that parts parameters at semicolons too, there would be more in it than what is ignored.
  if (ignore.length > 0) pairs = pairs.filter((pair) => pair.includes(';') || !ignores(ignore, nameOf(pair)))
  // Stable, and by name alone: the order of equal names means something.
  if (sort) pairs.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : nameOf(a) > nameOf(b) ? 1 : 0))
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`
}

function nameOf(pair: string): string {
  const end = pair.indexOf('=')
  return end === -1 ? pair : pair.slice(0, end)
}

/** `utm_*` matches by its beginning, `fbclid` as a whole. */
function ignores(patterns: readonly string[], name: string): boolean {
  for (const pattern of patterns) {
    if (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern) return true
  }
  return false
}
