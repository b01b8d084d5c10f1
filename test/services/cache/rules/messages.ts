import type { CachePolicy } from '../../../../services/cache/policy.ts'
import type { RequestConditions, ResponseHead } from '../../../../services/cache/rules/message.ts'
import type { StorableRequest } from '../../../../services/cache/rules/storable.ts'

/** The moment of these tests: a whole second, so that Date says it exactly. */
export const NOW = Date.UTC(2026, 0, 15, 12, 0, 0)

export const httpDate = (offsetSeconds: number): string => new Date(NOW + offsetSeconds * 1000).toUTCString()

/** A 200 that came at {@link NOW}, with a Date unless `fields` has one. */
export function head(fields: Record<string, string | string[]>, rest: Partial<ResponseHead> = {}): ResponseHead {
  const list = 'date' in fields ? [] : ['date', httpDate(0)]
  for (const [name, value] of Object.entries(fields)) {
    for (const line of Array.isArray(value) ? value : [value]) list.push(name, line)
  }
  return { status: 200, fields: list, requestedAt: NOW, receivedAt: NOW, ...rest }
}

export function policy(changes: Partial<CachePolicy> = {}): CachePolicy {
  return {
    profile: 'rfc',
    ttl: null,
    respectOrigin: true,
    staleWhileRevalidate: null,
    staleIfError: null,
    statuses: null,
    negativeTtl: null,
    maxEntryBytes: 1_000_000,
    tags: [],
    invalidates: [],
    clientDirectives: 'honour',
    post: true,
    queries: true,
    guard: false,
    varyBy: { headers: [], cookies: [] },
    identity: null,
    query: { ignore: [], sort: false },
    languages: null,
    send: null,
    details: false,
    fingerprint: '',
    ...changes,
  }
}

export function conditions(changes: Partial<RequestConditions> = {}): RequestConditions {
  return {
    cacheControl: undefined,
    pragma: undefined,
    authorization: undefined,
    range: undefined,
    ifRange: undefined,
    ifMatch: undefined,
    ifNoneMatch: undefined,
    ifModifiedSince: undefined,
    ifUnmodifiedSince: undefined,
    ...changes,
  }
}

export function request(changes: Partial<StorableRequest> = {}): StorableRequest {
  return {
    method: 'GET',
    path: '/a',
    url: 'http://api.test/a?b=1',
    hasBody: false,
    hasCredentials: false,
    conditions: conditions(),
    ...changes,
  }
}
