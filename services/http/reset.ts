import type { Socket } from 'node:net'
import { addAbortSignal, type Duplex } from 'node:stream'

/** What TLS is spoken over (missing from the types). */
interface OverTransport {
  _parent?: Socket
}

/**
 * Ends a connection with RST, over TLS too: a FIN would pass off as complete what only the end of the connection
 * delimits (RFC 9112 §8). One that is ending by itself at this moment is closed, and nothing more: its FIN has left.
 */
export function resetSocket(socket: Socket): void {
  if (socket.destroyed) return
  // libuv refuses a reset while the FIN is under way, and Node then drops the handle open: its descriptor stays, 'close'
  // never comes, and the process spins instead of ending.
  if (socket.writableEnded && socket.writableLength === 0 && !socket.writableFinished) {
    socket.destroy()
    return
  }
  const transport = (socket as OverTransport)._parent ?? socket
  transport.resetAndDestroy()
}

/** A signal that has been given: what is added to it is destroyed at once. */
const GIVEN = AbortSignal.abort()

/**
 * Ends what a WebSocket is spoken over, without a word. A stream of HTTP/2 is reset with CANCEL, as its other end was
 * (RFC 8441 §5), which Node does with what is destroyed for a signal; else it would end in peace, and by `close` end first.
 */
export function breakOff(duplex: Duplex): void {
  if ('rstCode' in duplex) addAbortSignal(GIVEN, duplex)
  else duplex.destroy()
}
