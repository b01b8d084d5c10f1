import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { type Connection, connectionOf } from './connections.ts'

/** Node's parser of a socket, as far as it is used here (missing from the types). */
interface Parsed extends Socket {
  parser?: { getCurrentBuffer?(): Buffer } | null
}

const HEAD_END = '\r\n\r\n'

/**
 * An upgrade that is not offered is ignored (RFC 9110 §7.8), and its request answered as the plain one that it also is.
 * But Node's parser stops at the end of such a request, and drops what has come in one read with it: a further request,
 * or the beginning of one, which makes another request of its rest. Where that may have happened the request is the
 * connection's last. Clients that wait for the answer, as those that offer an upgrade do, keep their connection.
 *
 * Call it within Node's `shouldUpgradeCallback`: only then can the read be looked at.
 */
export function watchIgnoredUpgrade(request: IncomingMessage): void {
  const connection = connectionOf(request.socket)
  if (connection === undefined) return
  const missing = bytesMissing(request)
  if (missing === undefined || missing < 0) connection.last = request
  else if (missing > 0) {
    const { socket } = request
    const end = socket.bytesRead + missing
    request.once('end', () => {
      if (socket.bytesRead > end) endAfter(connection, request)
    })
  }
}

/** How much of a request is still to come after the present read; less than 0 where more than the request has come. */
function bytesMissing({ headers, socket }: IncomingMessage): number | undefined {
  const read = (socket as Parsed).parser?.getCurrentBuffer?.()
  if (read === undefined || headers['transfer-encoding'] !== undefined) return undefined
  // The first head that ends in this read: if it is an earlier request's, more has come than that one.
  const headEnd = read.indexOf(HEAD_END)
  if (headEnd === -1) return undefined
  return Number(headers['content-length'] ?? 0) - (read.length - headEnd - HEAD_END.length)
}

/** Its answer may have begun, or be over. */
function endAfter(connection: Connection, request: IncomingMessage): void {
  connection.last = request
  const { response, socket } = connection
  if (response === null) socket.end()
  else if (!response.headersSent) response.shouldKeepAlive = false
}
