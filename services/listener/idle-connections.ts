import type { Connection, Connections } from './connections.ts'
import type { ListenerCounters } from './counters.ts'

export interface IdleConnectionsOptions {
  connections: Connections
  counters: ListenerCounters
  /** 0 keeps them for ever. */
  idleTimeoutMs: number
  /** How long a connection may take to its first request. */
  headerTimeoutMs: number
}

/**
 * Closes kept-alive connections of HTTP/1 on which nothing has come for `idleTimeoutMs`, and those whose client has not sent
 * a byte. Call the function that it returns about once a second.
 *
 * Node does the same by `keepAliveTimeout`, with a socket timer that is set, moved and cleared for each request: up to 8 %
 * of a cached answer (`bench/micro/http1-floor.ts`). A head that has begun is node:http's, and has its `headersTimeout`.
 */
export function createIdleConnectionCheck(options: IdleConnectionsOptions): (now: number) => void {
  const { connections, counters, idleTimeoutMs, headerTimeoutMs } = options

  function checkServed(connection: Connection, now: number): void {
    if (idleTimeoutMs === 0 || connection.active > 0 || now - connection.idleSince < idleTimeoutMs) return
    const { bytesRead, writableLength } = connection.socket
    // An answer past node:http (socket-heads.ts) that is still on its way out: stalled-readers.ts looks after it.
    if (writableLength > 0) {
      connection.idleSince = now
      return
    }
    // A head that is on its way in is no silence; how long it may take, `headersTimeout` says.
    if (connection.bytesRead === bytesRead) connection.socket.destroy()
    else connection.bytesRead = bytesRead
  }

  return (now) => {
    for (const connection of connections) {
      if (connection.served) checkServed(connection, now)
      else if (!connection.isParsed && now - connection.idleSince >= headerTimeoutMs) {
        counters.headTimeouts++
        connection.socket.destroy()
      }
    }
  }
}
