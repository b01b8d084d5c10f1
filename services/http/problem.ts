import { STATUS_CODES } from 'node:http'

/** What every refusal and failure is made from: `@fastify/error` gives the first three. */
export interface GatewayError extends Error {
  code: string
  statusCode?: number
  /** Fields of the answer, such as `Retry-After` or `Allow`: name, value, name, value. */
  fields?: string[]
  /** What its problem document says beside the members that all have: a type of its own, and further members. */
  problem?: { type: string; members: Readonly<Record<string, unknown>> }
}

/** The error, told with these fields: name, value, name, value. */
export function withFields(error: GatewayError, fields: string[]): GatewayError {
  error.fields = fields
  return error
}

/** A problem document (RFC 9457). `code` is stable, for programs; `detail` is for people. */
export interface Problem {
  /** `about:blank`, or of a kind that a specification defines. */
  type: string
  title: string
  status: number
  code: string
  detail: string
  requestId: string
}

/** The code of what caused an error, as the system, TLS or undici names it (`ECONNREFUSED`): for logs; empty without one. */
export function causeCode({ cause }: Error): string {
  const { code } = (cause ?? {}) as { code?: unknown }
  return typeof code === 'string' ? code : ''
}

export const PROBLEM_TYPE = 'application/problem+json'

/** A problem with the members of its type (RFC 9457 §3.2). */
export type ExtendedProblem = Problem & Readonly<Record<string, unknown>>

/** The problem that an error is told as. */
export function problemOf(error: GatewayError, requestId: string): ExtendedProblem {
  const status = error.statusCode ?? 500
  return {
    type: error.problem?.type ?? 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    code: error.code,
    detail: error.message,
    requestId,
    ...error.problem?.members,
  }
}
