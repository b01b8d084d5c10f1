import type { Exchange } from './exchange.ts'

/** The status that is booked where nobody was answered: nginx's, for none is registered. */
export const CLIENT_GONE = 499

/** Notes that the client has left before it was answered. */
export function noteClientGone(exchange: Pick<Exchange, 'code' | 'status'>): void {
  exchange.code ||= 'CLIENT_ABORT'
  if (exchange.status === 0) exchange.status = CLIENT_GONE
}
