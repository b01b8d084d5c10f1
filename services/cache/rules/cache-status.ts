/** This cache's member of Cache-Status (RFC 9211). */

/** Why a request went forward (RFC 9211 §2.2). */
export type ForwardReason = 'bypass' | 'method' | 'uri-miss' | 'vary-miss' | 'miss' | 'request' | 'stale' | 'partial'

/** What was done with a request that the store did not answer alone. Times in seconds. */
export interface Forwarding {
  reason: ForwardReason
  /** The next hop's, where it differs from the answer's (§2.3). */
  status?: number | undefined
  /** Remaining freshness, negative once stale (§2.4). */
  ttl?: number | undefined
  /** Whether the answer was stored (§2.5). */
  stored?: boolean
  /** Whether it went forward together with others (§2.6). */
  collapsed?: boolean
  /** The cache key, where the route says details (§2.7). */
  key?: string | undefined
  /** What no other parameter says (§2.8). */
  detail?: string | undefined
}

/**
 * A response from the store (§2.1).
 *
 * @param ttl remaining freshness in whole seconds, negative once stale (§2.4)
 * @param key where the route says details (§2.7)
 */
export function hitStatus(ttl: number, key?: string): string {
  return key === undefined ? `headrace; hit; ttl=${ttl}` : `headrace; hit; ttl=${ttl}; key=${quoted(key)}`
}

/** A request that went forward (§2.2 to §2.8). */
export function forwardStatus({ reason, status, ttl, stored, collapsed, key, detail }: Forwarding): string {
  let member = `headrace; fwd=${reason}`
  if (status !== undefined) member += `; fwd-status=${status}`
  if (ttl !== undefined) member += `; ttl=${ttl}`
  if (stored === true) member += '; stored'
  if (collapsed === true) member += '; collapsed'
  return member + suffix(key, detail)
}

function suffix(key: string | undefined, detail: string | undefined): string {
  return `${key === undefined ? '' : `; key=${quoted(key)}`}${detail === undefined ? '' : `; detail=${quoted(detail)}`}`
}

/** A structured field's String (RFC 9651 §3.3.3): what is not printable ASCII is percent-encoded. */
function quoted(text: string): string {
  const ascii = text.toWellFormed().replace(/[^\u0020-\u007e]+/g, encodeURIComponent)
  return `"${ascii.replace(/["\\]/g, '\\$&')}"`
}
