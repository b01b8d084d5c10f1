import type { Disagreement } from './record.ts'

/** As pino has it. */
interface Log {
  warn(fields: object, message: string): void
}

/** A line of the log: what differs from its specification, and nothing of what was in it. */
export function logDisagreement(log: Log, { side, upstream, operation, status, pointer, ...told }: Disagreement): void {
  const who = side === 'request' ? `a request for ${operation}` : `the answer ${status} to ${operation}`
  const where = pointer === '' ? told.in : `${told.in} ${pointer}`
  log.warn(
    { upstream, operation, status, in: told.in, pointer, count: told.count },
    `${who} is not as the specification of '${upstream}' says: ${where} ${told.message}`,
  )
}
