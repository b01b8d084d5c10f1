import Fastify, { type FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { CacheAdmin } from '../services/control/cache-admin.ts'
import { MaintenanceAdmin } from '../services/control/maintenance-admin.ts'
import { UpstreamAdmin } from '../services/control/upstream-admin.ts'
import type { Control } from '../services/control/control.ts'
import { LocalControl } from '../services/control/local.ts'
import { UnauthorizedError } from '../services/control/errors.ts'

export const AUTHORIZED = { authorization: 'Bearer secret' }

/** A bare Fastify with the decorators that control-plane routes use: a control port to fill, and a guard with one token. */
export function controlPlane(t: Test, control: Control = new LocalControl()): FastifyInstance {
  const fastify = Fastify()
  t.teardown(() => fastify.close())
  fastify.decorate('control', control)
  fastify.decorate('cacheAdmin', new CacheAdmin(control))
  fastify.decorate('upstreamAdmin', new UpstreamAdmin(control))
  fastify.decorate('maintenanceAdmin', new MaintenanceAdmin(control))
  fastify.decorate('adminGuard', async (request) => {
    if (request.headers.authorization !== AUTHORIZED.authorization) throw new UnauthorizedError()
  })
  return fastify
}
