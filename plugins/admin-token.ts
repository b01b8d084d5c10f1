import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance, FastifyRequest, onRequestAsyncHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { AdminScopeError, UnauthorizedError } from '../services/control/errors.ts'
import { ADMIN_SCOPES, type AdminScope, scopeOf } from '../services/control/scopes.ts'

/**
 * The guard of the control plane: `Authorization: Bearer <token>` (RFC 6750), compared in constant time; anything else is
 * 401 with `WWW-Authenticate`, and a token that is not for what is asked 403. It guards nothing by itself: it shares
 * `adminGuard`, which each control-plane route file adds to its own scope as an `onRequest` hook. A route says in
 * `config.scope` what it wants; otherwise GET wants `read`, and the rest `operate`. No cache keeps what is answered.
 */
export interface AdminTokenOptions {
  /** Good for everything. */
  token: string
  /** Further tokens, each for some of it. */
  limited?: readonly LimitedToken[]
}

export interface LimitedToken {
  bearer: string
  grants: readonly AdminScope[]
}

declare module 'fastify' {
  interface FastifyInstance {
    /** `onRequest` hook: lets through who has a token for it. */
    adminGuard: onRequestAsyncHookHandler
  }
  interface FastifyContextConfig {
    /** What a token has to be good for. */
    scope?: AdminScope
  }
}

const CHALLENGE = 'Bearer realm="headrace"'

interface Known {
  digest: Buffer
  scopes: readonly AdminScope[]
}

async function adminToken(fastify: FastifyInstance, { token, limited = [] }: AdminTokenOptions): Promise<void> {
  // Digests have one length, whatever is sent: timingSafeEqual wants that, and no length leaks.
  const known: Known[] = [{ bearer: token, grants: ADMIN_SCOPES }, ...limited].map(({ bearer, grants }) => ({
    digest: digest(bearer),
    scopes: grants,
  }))
  fastify.decorate('adminGuard', async (request, reply) => {
    void reply.header('cache-control', 'no-store')
    const sent = bearerOf(request)
    const scopes = sent === null ? undefined : scopesOf(known, digest(sent))
    if (scopes === undefined) {
      void reply.header('www-authenticate', sent === null ? CHALLENGE : `${CHALLENGE}, error="invalid_token"`)
      throw new UnauthorizedError()
    }
    const wanted = request.routeOptions.config.scope ?? scopeOf(request.method)
    if (scopes.includes(wanted)) return
    void reply.header('www-authenticate', `${CHALLENGE}, error="insufficient_scope", scope="${wanted}"`)
    throw new AdminScopeError(wanted)
  })
}

/** All are compared, so that how long it takes does not tell which one is near. */
function scopesOf(known: readonly Known[], sent: Buffer): readonly AdminScope[] | undefined {
  let found: readonly AdminScope[] | undefined
  for (const { digest: expected, scopes } of known) if (timingSafeEqual(sent, expected)) found ??= scopes
  return found
}

/** The token sent; the scheme's name is case-insensitive (RFC 9110, §11.1). */
function bearerOf({ headers }: FastifyRequest): string | null {
  return /^bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1] ?? null
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

export default fp(adminToken, { name: 'headrace-admin-token', fastify: '5.x' })
