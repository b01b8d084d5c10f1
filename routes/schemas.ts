import { Type } from '../services/options/type.ts'
import type { TargetState } from '../services/upstream/snapshot.ts'

/** Shapes that several routes share. */

/** Every error's body (RFC 9457). */
export const problemSchema = Type.Object(
  {
    type: Type.String({ description: 'about:blank, or of a kind that a specification defines' }),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String({ description: 'Stable, for programs: HR_<AREA>_<CONDITION>' }),
    detail: Type.String({ description: 'For people: what happened and what to do next' }),
    requestId: Type.String(),
  },
  { description: 'A problem document (RFC 9457)' },
)

export const problem = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: problemSchema } },
})

/** The errors of every control-plane route. */
export const controlProblems = {
  401: problem('No admin token, or not the right one'),
  403: problem('A token that is not for this'),
  429: problem('More requests from this address than admin.rateLimit allows; Retry-After says when'),
  500: problem('The gateway failed'),
  503: problem('No process answered in time, or not every process applied the command'),
}

/** A request that does not fit the route's schema. */
export const badRequest = { 400: problem('The request does not fit the schema') }

/** The security requirement of control-plane routes; the scheme is defined where the document is made. */
export const adminSecurity = [{ adminToken: [] as string[] }]

/** Processes that an answer lacks. */
export const missingSchema = Type.Array(
  Type.Object({
    process: Type.Integer({ description: 'Number of the process, 1…n' }),
    pid: Type.Union([Type.Integer(), Type.Null()]),
    reason: Type.String(),
  }),
  { description: 'Processes that did not answer; empty with a single process' },
)

/** A pool's connections and requests. */
export const connectionsSchema = Type.Object({
  limit: Type.Integer({ description: 'Connections that may be open' }),
  connected: Type.Integer({ description: 'Connections open' }),
  free: Type.Integer({ description: 'Connections open without a request' }),
  running: Type.Integer({ description: 'Requests on a connection' }),
  pending: Type.Integer({ description: 'Requests given to a connection and not sent yet' }),
  queued: Type.Integer({ description: 'Requests waiting for a connection to be free' }),
})

export const targetStateSchema = Type.Unsafe<TargetState>({
  type: 'string',
  enum: ['unknown', 'up', 'down', 'unhealthy', 'ejected', 'open', 'draining'] satisfies TargetState[],
  description:
    'unknown: not tried yet; down: it could not be connected to; unhealthy: it fails its health checks; ejected: it fails more than others and is left alone for a while; open: its breaker is; draining: it gets no new requests',
})

/** The level of the log. */
export const logLevelSchema = Type.Unsafe<'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'>({
  type: 'string',
  enum: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
  description: "Least severity that is written; 'silent' switches logging off",
})
