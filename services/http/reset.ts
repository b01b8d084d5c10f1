import type { Socket } from 'node:net'

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
