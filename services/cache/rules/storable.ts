import { HOP_BY_HOP_FIELDS } from '../../http/connection-fields.ts'
import { isEventStream } from '../../http/media-type.ts'
import type { CachePolicy } from '../policy.ts'
import type { CacheControl } from './cache-control.ts'
import { isDisguised } from './deception.ts'
import { freshnessFrom, type Freshness } from './freshness.ts'
import { lifespanOf, type Lifespan } from './lifespan.ts'
import { fieldValue, type FieldList, type RequestConditions, type ResponseHead } from './message.ts'
import { forbidsStoring } from './reuse.ts'
import { HEURISTICALLY_CACHEABLE, NEVER_STORED, UNDERSTOOD } from './status.ts'
import { effectiveDirectives } from './targeted.ts'
import { varyNames } from './vary.ts'

/** What storing looks at in a request. */
export interface StorableRequest {
  method: string
  /** Canonical. */
  path: string
  /** The target URI, absolute, as the key has it: what Content-Location is compared with. */
  url: string
  hasBody: boolean
  /** Known to the gateway by something beside Authorization: a client certificate, an API key. */
  hasCredentials: boolean
  conditions: RequestConditions
}

/** Why a response is not stored. */
export type NotStored =
  /** Neither GET nor a QUERY or POST that the policy stores. */
  | 'method'
  /** A GET with content: its answer may depend on what no key holds. */
  | 'request-body'
  /** The client's no-store. */
  | 'request-no-store'
  /** A status that is never stored, or that the policy does not name. */
  | 'status'
  | 'no-store'
  /** must-understand, and a status that this cache does not. */
  | 'must-understand'
  | 'private'
  /** An answer to someone's credentials, without the origin's leave to share it. */
  | 'authorization'
  /** `Vary: *`. */
  | 'vary'
  /** Profile `secure`: what sets a cookie is one client's. */
  | 'set-cookie'
  /** What is happening now, told to each client from when it came: stored, it would be told as news to others. */
  | 'event-stream'
  /** The route's guard: the path's ending says another type than the answer. */
  | 'disguised'
  /** Nobody said that it may be stored, or for how long, and there is nothing to validate it by. */
  | 'no-freshness'
  /** Stale when it came, with nothing to validate it by. */
  | 'stale'

export type Storability =
  | {
      store: true
      /** A 206: storable as a part, if its Content-Range and validator allow (RFC 9111 §3.3); never as a whole. */
      part: boolean
      /** What to keep of the head (RFC 9111 §3.1). */
      fields: string[]
      freshness: Freshness
      lifespan: Lifespan
    }
  | {
      store: false
      reason: NotStored
      /** The resource is like that: requests for this key need not wait for each other (hit-for-miss). */
      lasting: boolean
    }

/** Whether it is for everybody who asks the same; a part is for those alone who ask for it. */
export function isShareable(storable: Storability): boolean {
  return storable.store && !storable.part
}

/** RFC 9111 §3. @param now milliseconds: when the head came, or later */
export function storability(
  request: StorableRequest,
  head: ResponseHead,
  policy: CachePolicy,
  now: number,
): Storability {
  const refused = refusedByRequest(request, policy)
  // What one client sent says nothing of the next one's answer.
  if (refused !== null) return { store: false, reason: refused, lasting: false }
  const lasting = isLasting(head.status)
  if (!isStorableStatus(head.status, policy)) return { store: false, reason: 'status', lasting }
  if (isEventStream(fieldValue(head.fields, 'content-type'))) return { store: false, reason: 'event-stream', lasting }
  const effective = effectiveDirectives(head.fields)
  const { directives } = effective
  const forbidden = refusedByOrigin(directives, head)
  if (forbidden !== null) return { store: false, reason: forbidden, lasting }
  if (needsLeave(request) && !mayShareAuthorized(directives)) {
    return { store: false, reason: 'authorization', lasting: false }
  }
  const fields = keptFields(head.fields, directives)
  if (policy.profile === 'secure' && setsCookie(fields)) return { store: false, reason: 'set-cookie', lasting }
  if (policy.guard && isDisguised(request.path, head)) return { store: false, reason: 'disguised', lasting }
  const freshness = freshnessFrom(effective, head, policy)
  const lifespan = lifespanOf(head, freshness)
  if (request.method === 'POST' && !isStorablePost(request, head, freshness)) {
    return { store: false, reason: 'method', lasting: false }
  }
  if (!isAllowed(freshness, head.status, directives)) return { store: false, reason: 'no-freshness', lasting }
  if (!isOfUse(lifespan, head, now)) {
    return { store: false, reason: freshness.source === 'none' ? 'no-freshness' : 'stale', lasting }
  }
  return { store: true, part: head.status === 206, fields, freshness, lifespan }
}

/** An error passes, and most of them one request brings about: no rule for those that come after. */
const isLasting = (status: number): boolean =>
  (status < 400 && !NEVER_STORED.has(status)) || status === 404 || status === 410

function refusedByRequest(request: StorableRequest, policy: CachePolicy): NotStored | null {
  switch (request.method) {
    case 'GET':
      if (request.hasBody) return 'request-body'
      break
    case 'QUERY':
      if (!policy.queries) return 'method'
      break
    case 'POST':
      if (!policy.post) return 'method'
      break
    default:
      return 'method'
  }
  return forbidsStoring(request.conditions, policy) ? 'request-no-store' : null
}

function isStorableStatus(status: number, policy: CachePolicy): boolean {
  if (status < 200 || NEVER_STORED.has(status)) return false
  // A part belongs to a 200.
  return policy.statuses === null || policy.statuses.has(status === 206 ? 200 : status)
}

function refusedByOrigin(directives: CacheControl, head: ResponseHead): NotStored | null {
  const understood = UNDERSTOOD.has(head.status)
  if (directives.mustUnderstand && !understood) return 'must-understand'
  // must-understand lifts no-store for those who do understand (§5.2.2.3).
  if (directives.noStore && !directives.mustUnderstand) return 'no-store'
  if (directives.private) return 'private'
  return varyNames(head.fields) === '*' ? 'vary' : null
}

const needsLeave = (request: StorableRequest): boolean =>
  request.hasCredentials || request.conditions.authorization !== undefined

/** RFC 9111 §3.5. */
const mayShareAuthorized = (directives: CacheControl): boolean =>
  directives.public || directives.mustRevalidate || directives.sMaxage !== null

/** Whether the origin lets an answer to credentials be stored for all, by what it said of the one that is stored. */
export function isLeftToShare(stored: FieldList): boolean {
  return mayShareAuthorized(effectiveDirectives(stored).directives)
}

const setsCookie = (fields: FieldList): boolean =>
  fields.some((name, i) => i % 2 === 0 && (name === 'set-cookie' || name === 'set-cookie2'))

/** RFC 9110 §9.3.3: explicit freshness, and a Content-Location that says: this is what a GET would have got. */
function isStorablePost(request: StorableRequest, head: ResponseHead, freshness: Freshness): boolean {
  const { source, lifetime } = freshness
  if (lifetime <= 0 || source === 'heuristic' || source === 'ttl' || source === 'negative' || source === 'none')
    return false
  const location = fieldValue(head.fields, 'content-location')
  if (location === undefined || !URL.canParse(location, request.url)) return false
  return new URL(location, request.url).href === new URL(request.url).href
}

/** The last condition of §3: somebody has to have said that it may be stored, if only the status. */
const isAllowed = (freshness: Freshness, status: number, directives: CacheControl): boolean =>
  freshness.source !== 'none' || directives.public || HEURISTICALLY_CACHEABLE.has(status)

/** Fresh, of use while stale, or able to be validated: else it would only take up room. */
function isOfUse(life: Lifespan, head: ResponseHead, now: number): boolean {
  return (
    now < life.freshUntil || now < life.staleWhileRevalidateUntil || now < life.staleIfErrorUntil || isValidatable(head)
  )
}

/**
 * Whether a conditional request can save the transfer. Only of a 2xx: to others preconditions do not apply (RFC 9110
 * §13.2.1), and a 304 would turn today's page into yesterday's 404.
 */
export function isValidatable(head: ResponseHead): boolean {
  if (head.status < 200 || head.status > 299) return false
  return Boolean(fieldValue(head.fields, 'etag') ?? fieldValue(head.fields, 'last-modified'))
}

/** For one connection, or between neighbours that the next client is none of (RFC 9110 §7.6.1, RFC 9111 §3.1). */
const NOT_KEPT: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP_FIELDS,
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
])

function keptFields(fields: FieldList, directives: CacheControl): string[] {
  const listed = [...directives.noCacheFields, ...directives.privateFields]
  const connection = fieldValue(fields, 'connection')
  if (connection !== undefined) for (const name of connection.split(',')) listed.push(name.trim().toLowerCase())
  const kept: string[] = []
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string
    if (!NOT_KEPT.has(name) && !listed.includes(name)) kept.push(name, fields[i + 1] as string)
  }
  return kept
}
