import { hash } from 'node:crypto'
import fp from 'fastify-plugin'
import { PreconditionFailed } from '../errors.ts'

/** The representation that a conditional request is held against. */
export interface Validators {
  /** Strong, with its quotes. */
  etag: string
  /** IMF-fixdate, where the resource keeps one. */
  lastModified: string | undefined
}

type Conditions = Partial<
  Record<'if-match' | 'if-none-match' | 'if-modified-since' | 'if-unmodified-since', string | undefined>
>

/** A strong entity tag: a hash of the bytes, so that it says the same in every process and after a restart. */
export function entityTag(body: string | Buffer): string {
  return `"${hash('sha256', body, 'base64url').slice(0, 22)}"`
}

/**
 * The preconditions of a request in the order of https://www.rfc-editor.org/rfc/rfc9110#section-13.2.2.
 * `'unmodified'` is 304 for GET and HEAD, and 412 for the others.
 */
export function evaluate(conditions: Conditions, current: Validators): 'proceed' | 'unmodified' | 'failed' {
  const modifiedAt = Date.parse(current.lastModified ?? '')
  const match = conditions['if-match']
  if (match !== undefined) {
    if (!lists(match, current.etag, 'strong')) return 'failed'
  } else if (modifiedAt > Date.parse(conditions['if-unmodified-since'] ?? '')) {
    return 'failed'
  }
  const noneMatch = conditions['if-none-match']
  if (noneMatch !== undefined) return lists(noneMatch, current.etag, 'weak') ? 'unmodified' : 'proceed'
  return modifiedAt <= Date.parse(conditions['if-modified-since'] ?? '') ? 'unmodified' : 'proceed'
}

/** RFC 9110 §8.8.3.2: the strong comparison never holds for a weak tag, the weak one ignores the `W/`. */
function lists(field: string, etag: string, comparison: 'strong' | 'weak'): boolean {
  if (field.trim() === '*') return true
  for (const [, weak, opaque] of field.matchAll(/(W\/)?("[^"]*")/g)) {
    if (opaque === etag && (comparison === 'weak' || weak === undefined)) return true
  }
  return false
}

/**
 * Gives every 200 of a GET or HEAD whose body is at hand a strong ETag, and answers 304 or 412 where its conditions ask
 * for it. Streams are left alone. Shared with siblings: the hook is for the whole API.
 */
export default fp(
  async function conditionalRequests(app) {
    app.addHook('onSend', async (request, reply, payload: unknown) => {
      if (request.method !== 'GET' && request.method !== 'HEAD') return payload
      if (reply.statusCode !== 200 || !(typeof payload === 'string' || Buffer.isBuffer(payload))) return payload
      const etag = entityTag(payload)
      reply.header('etag', etag)
      const lastModified = reply.getHeader('last-modified')
      const verdict = evaluate(request.headers, { etag, lastModified: lastModified?.toString() })
      if (verdict === 'proceed') return payload
      if (verdict === 'failed') throw new PreconditionFailed()
      reply.code(304).removeHeader('content-type').removeHeader('content-length')
      // Fastify's HEAD handler still measures the body: a 304 may say how long the 200 would be (RFC 9110 §8.6).
      return request.method === 'HEAD' ? payload : null
    })
  },
  { name: 'fleet-conditional', fastify: '5.x' },
)
