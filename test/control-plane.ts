import Fastify, { type FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import type { Control } from '../services/control/control.ts'
import { LocalControl } from '../services/control/local.ts'
import { UnauthorizedError } from '../services/control/errors.ts'

export const AUTHORIZED = { authorization: 'Bearer secret' }

/** A bare Fastify with the decorators that control-plane routes use: a control port to fill, and a guard with one token. */
export function controlPlane(t: Test, control: Control = new LocalControl()): FastifyInstance {
  const fastify = Fastify()
  t.teardown(() => fastify.close())
  fastify.decorate('control', control)
  fastify.decorate('adminGuard', async (request) => {
    if (request.headers.authorization !== AUTHORIZED.authorization) throw new UnauthorizedError()
  })
  return fastify
}
