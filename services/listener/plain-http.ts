import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { TlsExpectedError } from './errors.ts'
import { closingAnswer, endWith } from './malformed.ts'

const TLS_EXPECTED = new TlsExpectedError()

/**
 * Ends a connection whose handshake has failed: with an answer where its client has sent HTTP in the clear, which is what
 * `http://` and the port of `https://` come to, else at once.
 */
export function endFailedHandshake(error: NodeJS.ErrnoException, socket: TLSSocket): void {
  // Node has the socket below the TLS one in `_parent` alone. Where it has not, nothing is said, as for any other failure.
  const { _parent: plain } = socket as { _parent?: Socket | null }
  if (error.code === 'ERR_SSL_HTTP_REQUEST' && plain) endWith(plain, closingAnswer(TLS_EXPECTED))
  else socket.destroy()
}
