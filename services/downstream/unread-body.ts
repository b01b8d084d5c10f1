import type { Exchange } from './exchange.ts'

/**
 * Before an answer to a request whose body nobody wants: what the client sends of it is thrown away, so that it comes to
 * reading its answer, and its connection to the next request.
 */
export function discardBody({ body, fields, reply }: Exchange): void {
  if (body === null) return
  // RFC 9110 §10.1.1: whether the client still sends the body that it asked about, it alone knows; what follows on the
  // connection would be read as one or the other.
  if (fields.expect !== undefined) reply.closing = true
  // What goes wrong from here on is nobody's, and no reason to end the process.
  body.on('error', () => undefined)
  body.resume()
}
