import type { FastifyInstance } from 'fastify'
import loginsPlugin from '../plugins/logins.ts'
import loginRoutes from '../routes/logins.ts'
import type { Access } from '../services/access/access.ts'
import { limitScope } from './limited-scope.ts'

/** Of one address: each login costs a request to the identity provider. */
const LOGIN_RATE = '120/min'

/** The pages by which browsers log in and out, where the configuration has an identity provider for them. */
export async function registerLogins(fastify: FastifyInstance, { providers }: Access): Promise<void> {
  if (providers.logins.size === 0) return
  await fastify.register(async (scope) => {
    await limitScope(scope, LOGIN_RATE)
    await scope.register(loginsPlugin, { logins: providers.browserLogins })
    await scope.register(loginRoutes)
  })
}
