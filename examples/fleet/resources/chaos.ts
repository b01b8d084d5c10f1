import { STATUS_CODES } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { ChaosRequested } from '../errors.ts'

/** `/chaos/…`: fails on demand, so that one can see what a gateway makes of it. */
export function registerChaos(app: FastifyInstance): void {
  const tags = ['chaos']
  app.get<{ Params: { status: number } }>(
    '/chaos/:status',
    {
      schema: {
        operationId: 'answerWithStatus',
        summary: 'Answers with the status that is asked for',
        tags,
        params: Type.Object({ status: Type.Integer({ minimum: 200, maximum: 599 }) }),
      },
    },
    async (request, reply) => {
      const { status } = request.params
      if (status === 429 || status === 503) reply.header('retry-after', 5)
      if (status >= 400) throw Object.assign(new ChaosRequested(), { statusCode: status })
      reply.code(status).header('cache-control', 'no-store')
      if (status === 204 || status === 205 || status === 304) return reply.send()
      if (status >= 300) reply.header('location', '/vehicles?limit=3')
      return { status, title: STATUS_CODES[status] ?? 'Unassigned' }
    },
  )

  app.get(
    '/chaos/reset',
    { schema: { operationId: 'resetConnection', summary: 'Cuts the connection without an answer', tags } },
    async (request, reply) => {
      reply.hijack()
      request.raw.socket.resetAndDestroy()
    },
  )
}
