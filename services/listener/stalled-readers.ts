import type { Socket } from 'node:net'
import type { Connections } from './connections.ts'
import type { ListenerCounters } from './counters.ts'

export interface StalledReadersOptions {
  connections: Connections
  counters: ListenerCounters
  /** Milliseconds; 0 lets a client wait for ever. */
  sendTimeoutMs: number
}

/** How far the writing to a socket has come, and since when it has not come further. */
interface Progress {
  written: number
  queued: number
  since: number
}

/** libuv's own queue, which Node's counters do not see into (missing from the types). */
interface WithQueue {
  _handle?: { writeQueueSize?: number } | null
}

/**
 * Ends HTTP/1 connections whose client takes nothing of what is written to it: an answer that the gateway holds whole has
 * no deadline of its own any more. Call the function that it returns about once a second.
 */
export function createStalledReaderCheck(options: StalledReadersOptions): (now: number) => void {
  const { connections, counters, sendTimeoutMs } = options
  const progress = new WeakMap<Socket, Progress>()
  if (sendTimeoutMs === 0) return () => undefined
  return (now) => {
    for (const { socket } of connections) {
      if (socket.writableLength === 0) {
        progress.delete(socket)
        continue
      }
      const written = socket.bytesWritten - socket.writableLength
      const queued = (socket as WithQueue)._handle?.writeQueueSize ?? 0
      const before = progress.get(socket)
      if (before === undefined || before.written !== written || before.queued !== queued) {
        progress.set(socket, { written, queued, since: now })
      } else if (now - before.since >= sendTimeoutMs) {
        counters.stalledReaders++
        socket.destroy()
      }
    }
  }
}
