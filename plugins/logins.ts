import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Login } from '../services/access/oidc/login.ts'

/** Logins of browsers, for the routes that begin and end them. It shares `logins`, and acts on nothing. */
export interface LoginsOptions {
  logins: readonly Login[]
}

declare module 'fastify' {
  interface FastifyInstance {
    /** One for each of `access.oidc`. */
    logins: readonly Login[]
  }
}

async function logins(fastify: FastifyInstance, options: LoginsOptions): Promise<void> {
  fastify.decorate('logins', options.logins)
}

export default fp(logins, { name: 'headrace-logins', fastify: '5.x' })
