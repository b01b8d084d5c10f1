import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance, FastifyRequest, onRequestAsyncHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { UnauthorizedError } from '../services/control/errors.ts'

/**
 * The guard of the control plane: `Authorization: Bearer <token>` (RFC 6750), compared in constant time; anything else is
 * 401 with `WWW-Authenticate`. It guards nothing by itself: it shares `adminGuard`, which each control-plane route file
 * adds to its own scope as an `onRequest` hook.
 */
export interface AdminTokenOptions {
  token: string
}

declare module 'fastify' {
  interface FastifyInstance {
    /** `onRequest` hook: lets through who has the admin token. */
    adminGuard: onRequestAsyncHookHandler
  }
}

const CHALLENGE = 'Bearer realm="headrace"'

async function adminToken(fastify: FastifyInstance, { token }: AdminTokenOptions): Promise<void> {
  // Digests have one length, whatever is sent: timingSafeEqual wants that, and no length leaks.
  const expected = digest(token)
  fastify.decorate('adminGuard', async (request, reply) => {
    const sent = bearerOf(request)
    if (sent !== null && timingSafeEqual(digest(sent), expected)) return
    void reply.header('www-authenticate', sent === null ? CHALLENGE : `${CHALLENGE}, error="invalid_token"`)
    throw new UnauthorizedError()
  })
}

/** The token sent; the scheme's name is case-insensitive (RFC 9110, §11.1). */
function bearerOf({ headers }: FastifyRequest): string | null {
  return /^bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1] ?? null
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

export default fp(adminToken, { name: 'headrace-admin-token', fastify: '5.x' })
