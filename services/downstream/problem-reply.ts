import { currentDate } from '../http/current-date.ts'
import { causeCode, type GatewayError, problemOf, PROBLEM_TYPE } from '../http/problem.ts'
import type { Exchange } from './exchange.ts'

/** Answers an exchange with a problem document (RFC 9457), for HEAD without its body. Nothing may have been sent yet. */
export function replyWithProblem(exchange: Exchange, error: GatewayError): void {
  const { reply, requestId, cacheStatus, method } = exchange
  const problem = problemOf(error, requestId)
  const body = Buffer.from(JSON.stringify(problem))
  exchange.status = problem.status
  exchange.code = problem.code
  exchange.cause = causeCode(error)
  const fields = ['content-type', PROBLEM_TYPE, 'cache-control', 'no-store', 'date', currentDate()]
  fields.push('x-request-id', requestId)
  if (cacheStatus !== '') fields.push('cache-status', cacheStatus)
  reply.head(problem.status, error.fields === undefined ? fields : fields.concat(error.fields), body.length)
  if (method === 'HEAD') reply.end()
  else reply.end(body)
}
