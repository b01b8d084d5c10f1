import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { withoutKeys } from '../services/access/key/key-in-url.ts'
import { EndpointMethodError, InternalError, RouteNotFoundError } from '../services/http/errors.ts'
import { COMMON_METHODS } from '../services/http/methods.ts'
import { type GatewayError, PROBLEM_TYPE, problemOf } from '../services/http/problem.ts'
import { PROBLEM_PAGE_POLICY, problemPage, wantsPage } from '../services/http/problem-page.ts'
import { InternalErrors } from '../services/monitor/internal-errors.ts'
import type { OwnPaths } from '../services/lane/own-paths.ts'

/**
 * Every error is answered as a problem document (RFC 9457) with a code and the request's id; what went wrong inside is
 * logged and never told. What no route takes is 404, or 405 on a path of the gateway's own, before its body is looked
 * at; a 404 leads to the documentation where that is on, and browsers get it as a page. `OPTIONS *` is answered for the
 * server as a whole (RFC 9110 §9.3.7). It shares nothing; it acts on the whole instance.
 */
export interface ErrorsOptions {
  /** The instance's own paths, filled as its routes are registered. */
  own?: Pick<OwnPaths, 'methodsOf'>
  /** The documentation's path, for those who ask for what there is not; default `false`: it is not told of. */
  docs?: string | false
  /** Where what went wrong inside is counted and logged; default: it is logged. */
  internalErrors?: Pick<InternalErrors, 'record'>
}

async function errors(fastify: FastifyInstance, options: ErrorsOptions): Promise<void> {
  const { own, docs = false, internalErrors = new InternalErrors(fastify.log) } = options
  fastify.setErrorHandler((error: FastifyError & GatewayError, request, reply) => {
    const told = tellable(error)
    if (told !== error) internalErrors.record(error, request.id)
    return send(reply, request, told)
  })
  const answer = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    if (isForServer(request)) return reply.code(204).header('allow', COMMON_METHODS).send()
    const allowed = methodsOf(request, own)
    if (allowed !== undefined) return send(reply.header('allow', allowed), request, new EndpointMethodError(allowed))
    return sendNotFound(reply, request, docs)
  }
  // The hook comes after all others of the instance and before the body; the handler is for `callNotFound` alone.
  const early = { onRequest: (request: FastifyRequest, reply: FastifyReply) => void answer(request, reply) }
  fastify.setNotFoundHandler(early as object, answer)
}

function isForServer({ method, url }: FastifyRequest): boolean {
  return method === 'OPTIONS' && url === '*'
}

/** What a path of the gateway's own takes, where that is something else. */
function methodsOf({ method, url }: FastifyRequest, own: ErrorsOptions['own']): string | undefined {
  const allowed = own?.methodsOf(pathOf(url)) ?? []
  return allowed.length === 0 || allowed.includes(method) ? undefined : allowed.join(', ')
}

function pathOf(url: string): string {
  return url.replace(/\?.*$/s, '')
}

function sendNotFound(reply: FastifyReply, request: FastifyRequest, docs: string | false): FastifyReply {
  const { method, url, headers } = request
  const where = docs === false ? 'the configuration for those there are' : `${docs} for what there is`
  const error: GatewayError = new RouteNotFoundError(method, withoutKeys(pathOf(url)), where)
  if (docs === false) return send(reply, request, error)
  // RFC 8631
  void reply.header('link', `<${docs}>; rel="service-doc"`).header('vary', 'accept')
  if (!wantsPage(headers.accept)) return send(reply, request, error)
  return reply
    .code(404)
    .header('content-type', 'text/html; charset=utf-8')
    .header('cache-control', 'no-store')
    .header('content-security-policy', PROBLEM_PAGE_POLICY)
    .send(problemPage(problemOf(error, request.id), docs))
}

/**
 * What Fastify's router refuses before there is a route: an address that it cannot read. No hook runs for it.
 * Give it to `Fastify()` as `frameworkErrors`.
 */
export function answerFrameworkError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return send(reply.header('x-request-id', request.id), request, tellable(error))
}

/** An error that may be told as it is: ours, or Fastify's about the request. */
function tellable(error: FastifyError & GatewayError): GatewayError {
  const isOurs = typeof error.code === 'string' && /^(HR|FST)_/.test(error.code)
  const isRequestFault = error.statusCode !== undefined && error.statusCode < 500
  if (isOurs && (isRequestFault || error.code.startsWith('HR_'))) return error
  if (isRequestFault) return Object.assign(error, { code: error.code ?? 'HR_REQUEST' })
  return new InternalError()
}

function send(reply: FastifyReply, request: Pick<FastifyRequest, 'id'>, error: GatewayError): FastifyReply {
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
