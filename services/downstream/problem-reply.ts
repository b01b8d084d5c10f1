import { currentDate } from '../http/current-date.ts'
import { failedCall, isGrpc } from '../http/grpc.ts'
import { causeCode, type GatewayError, problemOf, PROBLEM_TYPE } from '../http/problem.ts'
import { fieldOf } from '../http/request-fields.ts'
import type { Exchange } from './exchange.ts'

/**
 * Answers an exchange with a problem document (RFC 9457), for HEAD without its body; a call of gRPC with the status that
 * such a problem is there. Nothing may have been sent yet.
 */
export function replyWithProblem(exchange: Exchange, error: GatewayError): void {
  const { reply, requestId, cacheStatus, method } = exchange
  const problem = problemOf(error, requestId)
  exchange.status = problem.status
  exchange.code = problem.code
  exchange.cause = causeCode(error)
  const fields = ['cache-control', 'no-store', 'date', currentDate(), 'x-request-id', requestId]
  if (cacheStatus !== '') fields.push('cache-status', cacheStatus)
  if (error.fields !== undefined) fields.push(...error.fields)
  if (isCall(exchange)) {
    reply.head(200, [...failedCall(problem), ...fields], null)
    reply.end()
    return
  }
  const body = Buffer.from(JSON.stringify(problem))
  reply.head(problem.status, ['content-type', PROBLEM_TYPE, ...fields], body.length)
  if (method === 'HEAD') reply.end()
  else reply.end(body)
}

/** gRPC is spoken over HTTP/2 alone. */
function isCall({ protocol, method, fields }: Exchange): boolean {
  return protocol === '2.0' && method === 'POST' && isGrpc(fieldOf(fields.kept, 'content-type'))
}
