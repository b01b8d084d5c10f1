import { formatDuration, formatSize } from '../options/units.ts'
import type { CachePolicy } from './policy.ts'
import type { SendOptions } from './send-options.ts'

/** A route's policy for people: plain data, times in seconds. */
export interface PolicyReport extends Omit<CachePolicy, 'statuses' | 'send' | 'fingerprint'> {
  statuses: number[] | null
  send: SendOptions
  /** The same in words. */
  words: PolicyWords
}

/** What a policy means, a sentence each. */
export interface PolicyWords {
  /** What is looked up, and by what. */
  lookup: string[]
  /** What is stored, and for how long. */
  store: string[]
  /** What clients are told in place of what the origin says; empty for nothing. */
  send: string[]
}

export function reportPolicy(policy: CachePolicy): PolicyReport {
  const { fingerprint: _, statuses, send, ...same } = policy
  return {
    ...same,
    statuses: statuses === null ? null : [...statuses],
    send: send?.options ?? AS_THE_ORIGIN,
    words: policyInWords(policy),
  }
}

export function policyInWords(policy: CachePolicy): PolicyWords {
  return { lookup: lookupInWords(policy), store: storeInWords(policy), send: sendInWords(policy) }
}

function lookupInWords({ query, varyBy, identity, clientDirectives, languages, queries }: CachePolicy): string[] {
  return [
    `GET and HEAD${queries ? ', QUERY with its content' : ''}: by scheme, host, path and query`,
    ...(query.ignore.length > 0 ? [`${list(query.ignore)} of the query left out`] : []),
    ...(query.sort ? ['parameters in any order'] : []),
    ...(varyBy.headers.length > 0 ? [`also by the request's ${list(varyBy.headers)}`] : []),
    ...(varyBy.cookies.length > 0 ? [`also by the cookies ${list(varyBy.cookies)}`] : []),
    ...(identity?.whole === true ? ['for each caller by itself'] : []),
    ...(identity?.consumer === true ? ['also by the consumer'] : []),
    ...(identity !== null && identity.claims.length > 0 ? [`also by the caller's ${list(identity.claims)}`] : []),
    ...(languages === null ? [] : [`Accept-Language brought to ${list(languages)}`]),
    clientDirectives === 'honour'
      ? "a client's Cache-Control may ask for a new answer"
      : "a client's Cache-Control and Pragma are ignored",
  ]
}

function storeInWords(policy: CachePolicy): string[] {
  const { staleWhileRevalidate, staleIfError, negativeTtl, statuses, tags, invalidates } = policy
  return [
    `profile ${policy.profile}`,
    lifetimeInWords(policy),
    ...(negativeTtl === null ? [] : [`404, 405, 410, 414 and 501 for ${time(negativeTtl)} where it gives none`]),
    ...(statuses === null ? [] : [`only ${list([...statuses].map(String))}`]),
    ...(staleWhileRevalidate === null ? [] : [`stale for ${time(staleWhileRevalidate)} while it is refreshed`]),
    ...(staleIfError === null ? [] : [`stale for ${time(staleIfError)} while the origin fails`]),
    ...(policy.post ? ['POST where its answer names its own URI as Content-Location'] : []),
    `up to ${formatSize(policy.maxEntryBytes)} each`,
    ...(tags.length > 0 ? [`tagged ${list(tags)}`] : []),
    ...(policy.guard ? ['not where extension and Content-Type disagree'] : []),
    ...(invalidates.length > 0 ? [`a successful unsafe request purges the tags ${list(invalidates)}`] : []),
  ]
}

const AS_THE_ORIGIN: SendOptions = { cacheControl: null, cdnCacheControl: null, tags: 'origin' }

const TAG_WORDS = {
  origin: null,
  none: 'no tags',
  'surrogate-key': 'all tags in Surrogate-Key',
  'cache-tag': 'all tags in Cache-Tag',
} as const

function sendInWords({ send }: CachePolicy): string[] {
  if (send === null) return []
  const { cacheControl, cdnCacheControl, tags } = send.options
  return [
    ...(cacheControl === null ? [] : [`Cache-Control: ${cacheControl}`]),
    ...(cdnCacheControl === null ? [] : [`CDN-Cache-Control: ${cdnCacheControl}`]),
    ...(send.vary.length > 0 ? [`${list(send.vary)} in Vary`] : []),
    ...(TAG_WORDS[tags] === null ? [] : [TAG_WORDS[tags]]),
  ]
}

function lifetimeInWords({ ttl, respectOrigin }: CachePolicy): string {
  if (ttl === null)
    return 'for as long as the origin says; where it says nothing, a tenth of the time since Last-Modified'
  return respectOrigin
    ? `for as long as the origin says; where it says nothing, ${time(ttl)}`
    : `for ${time(ttl)}, whatever the origin says but no-store and private`
}

const time = (seconds: number): string => formatDuration(seconds * 1000)
const list = (names: readonly string[]): string => names.join(', ')
