import { constants, type ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import type { Connections } from './connections.ts'
import type { ListenerCounters } from './counters.ts'
import type { Http2Sessions, Http2SessionState } from './http2-sessions.ts'

export interface StalledReadersOptions {
  connections: Connections
  sessions: Http2Sessions
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

/** The same of a stream; `sent` is what its session had written then. */
interface StreamProgress {
  waiting: number
  sent: number
  since: number
}

/** What a session takes in `sendTimeout` at the least, where streams wait their turn in it: as for proxied answers. */
const LEAST_BYTES = 131_072

/**
 * Ends HTTP/1 connections and HTTP/2 streams whose client takes nothing of what is written to it: an answer that the
 * gateway holds whole has no deadline of its own any more. Call the function that it returns about once a second.
 */
export function createStalledReaderCheck(options: StalledReadersOptions): (now: number) => void {
  const { connections, sessions, counters, sendTimeoutMs } = options
  if (sendTimeoutMs === 0) return () => undefined
  const isStalled = createStreamCheck(sendTimeoutMs)
  const progress = new WeakMap<Socket, Progress>()

  function checkSocket(socket: Socket, now: number): void {
    if (socket.writableLength === 0) {
      progress.delete(socket)
      return
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

  return (now) => {
    for (const { socket } of connections) checkSocket(socket, now)
    for (const state of sessions) {
      for (const stream of isStalled(state, now)) {
        counters.stalledReaders++
        stream.close(constants.NGHTTP2_CANCEL)
        // A client that reads nothing at all would not even get the reset, and the stream stay until it does.
        stream.destroy()
      }
    }
  }
}

/** Node tells of a stream only what waits as a whole, and large pieces move as a whole: the session's bytes tell the rest. */
function createStreamCheck(sendTimeoutMs: number) {
  const progress = new WeakMap<ServerHttp2Stream, StreamProgress>()
  return ({ session, streams }: Http2SessionState, now: number): ServerHttp2Stream[] => {
    let waitingInAll = 0
    for (const { writableLength } of streams) waitingInAll += writableLength
    if (waitingInAll === 0) return []
    const sent = session.socket.bytesWritten
    return streams.filter((stream) => {
      const waiting = stream.writableLength
      const before = progress.get(stream)
      if (waiting === 0 || before?.waiting !== waiting) {
        progress.set(stream, { waiting, sent, since: now })
        return false
      }
      const times = Math.floor((now - before.since) / sendTimeoutMs)
      if (times === 0) return false
      // Others of the session may have their turn first, as long as the client takes what it is sent. A stream that is
      // still written to may have moved by just what came in.
      const moved = sent - before.sent
      const hadItsTurn = stream.writableEnded && moved > waitingInAll * streams.length
      return moved < times * LEAST_BYTES || hadItsTurn
    })
  }
}
