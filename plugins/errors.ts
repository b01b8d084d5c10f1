import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { type GatewayError, PROBLEM_TYPE, problemOf } from '../services/http/problem.ts'
import { InternalError, RouteNotFoundError } from '../services/http/errors.ts'

/**
 * Every error is answered as a problem document (RFC 9457) with a code and the request's id; what went wrong inside is
 * logged and never told. It shares nothing; it acts on the whole instance.
 */
async function errors(fastify: FastifyInstance): Promise<void> {
  fastify.setErrorHandler((error: FastifyError & GatewayError, request, reply) => {
    const told = tellable(error)
    if (told !== error) request.log.error({ err: error }, 'Unexpected error')
    return send(reply, request, told)
  })
  fastify.setNotFoundHandler((request, reply) =>
    send(reply, request, new RouteNotFoundError(request.method, request.url.replace(/\?.*$/s, ''))),
  )
}

/** An error that may be told as it is: ours, or Fastify's about the request. */
function tellable(error: FastifyError & GatewayError): GatewayError {
  const isOurs = typeof error.code === 'string' && /^(HR|FST)_/.test(error.code)
  const isRequestFault = error.statusCode !== undefined && error.statusCode < 500
  if (isOurs && (isRequestFault || error.code.startsWith('HR_'))) return error
  if (isRequestFault) return Object.assign(error, { code: error.code ?? 'HR_REQUEST' })
  return new InternalError()
}

function send(reply: FastifyReply, request: FastifyRequest, error: GatewayError): FastifyReply {
  const problem = problemOf(error, request.id)
  for (let i = 0; error.fields !== undefined && i < error.fields.length; i += 2) {
    reply.header(error.fields[i] as string, error.fields[i + 1])
  }
  return (
    reply
      .code(problem.status)
      .header('content-type', PROBLEM_TYPE)
      .header('cache-control', 'no-store')
      // Bytes: to text Fastify would add a charset, which the media type does not have.
      .send(Buffer.from(JSON.stringify(problem)))
  )
}

export default fp(errors, { name: 'headrace-errors', fastify: '5.x' })
