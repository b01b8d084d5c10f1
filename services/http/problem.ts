import { STATUS_CODES } from 'node:http'

/** What every refusal and failure is made from: `@fastify/error` gives the first three. */
export interface GatewayError extends Error {
  code: string
  statusCode?: number
  /** Fields of the answer, such as `Retry-After` or `Allow`: name, value, name, value. */
  fields?: string[]
}

/** A problem document (RFC 9457). `code` is stable, for programs; `detail` is for people. */
export interface Problem {
  type: 'about:blank'
  title: string
  status: number
  code: string
  detail: string
  requestId: string
}

export const PROBLEM_TYPE = 'application/problem+json'

/** The problem that an error is told as. */
export function problemOf(error: GatewayError, requestId: string): Problem {
  const status = error.statusCode ?? 500
  return {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    code: error.code,
    detail: error.message,
    requestId,
  }
}
