import { STATUS_CODES } from 'node:http'
import type { FastifyError, FastifyReply } from 'fastify'
import fp from 'fastify-plugin'
import { Type, type TSchema } from 'typebox'

const problemSchema = Type.Object(
  {
    type: Type.String({ format: 'uri-reference' }),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String(),
    detail: Type.String(),
    errors: Type.Optional(
      Type.Array(Type.Object({ at: Type.String(), message: Type.String() }), {
        description: 'What is invalid, and where',
      }),
    ),
  },
  { $id: 'Problem', description: 'RFC 9457' },
)

const DESCRIPTIONS = {
  400: 'The request is not valid',
  404: 'There is no such row',
  412: 'The resource has changed since the ETag was given',
  422: 'A row that it refers to does not exist',
  507: 'The table is full',
} as const

/** The problem responses of a route's schema. */
export function problems(...statuses: (keyof typeof DESCRIPTIONS)[]): Record<number, TSchema> {
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      // Fastify and @fastify/swagger read `content` here; TypeBox has no word for it.
      {
        description: DESCRIPTIONS[status],
        content: { 'application/problem+json': { schema: { $ref: 'Problem' } } },
      } as TSchema,
    ]),
  )
}

/**
 * Writes every failure as RFC 9457 `application/problem+json`. What a client did wrong may be remembered for a moment
 * where it is a 404; nothing else is stored. Shared with siblings.
 */
export default fp(
  async function problemDocuments(app) {
    app.addSchema(problemSchema)
    app.setNotFoundHandler((request, reply) => {
      send(reply, {
        status: 404,
        code: 'FLEET_PATH_NOT_FOUND',
        detail: `There is nothing at ${request.method} ${request.url}`,
      })
    })
    app.setErrorHandler((error: FastifyError, request, reply) => {
      const status = error.statusCode ?? 500
      if (status >= 500) request.log.error(error)
      const errors = error.validation?.map(({ instancePath, message }) => ({
        at: `${error.validationContext ?? 'request'}${instancePath}`,
        message: message ?? 'is invalid',
      }))
      const detail = status === 500 ? 'The fleet API failed; its log says why' : error.message
      send(reply, { status, code: error.code ?? 'FLEET_INTERNAL', detail, ...(errors && { errors }) })
    })
  },
  { name: 'fleet-problem', fastify: '5.x' },
)

interface Failure {
  status: number
  code: string
  detail: string
  errors?: { at: string; message: string }[]
}

function send(reply: FastifyReply, { status, code, detail, errors }: Failure): void {
  reply
    .code(status)
    .type('application/problem+json')
    .header('cache-control', status === 404 ? 'public, max-age=5' : 'no-store')
    .removeHeader('etag')
    .removeHeader('last-modified')
    .removeHeader('surrogate-key')
    .send({
      type: 'about:blank',
      title: STATUS_CODES[status] ?? 'Failure',
      status,
      code,
      detail,
      ...(errors && { errors }),
    })
}
