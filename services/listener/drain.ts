import type { Connections } from './connections.ts'
import type { ListenerCounters } from './counters.ts'
import type { Http2Sessions } from './http2-sessions.ts'

/** One object for all listeners of a process, read by whoever answers: while true, HTTP/1 answers close their connection. */
export interface DrainState {
  draining: boolean
}

export function createDrainState(): DrainState {
  return { draining: false }
}

/** What is open at a moment, and a drain waits for. */
export interface OpenWork {
  /** Begun, their answers not over. */
  requests: number
  /** With and without a request. */
  connections: number
}

export function addOpenWork(parts: readonly OpenWork[]): OpenWork {
  return {
    requests: parts.reduce((sum, { requests }) => sum + requests, 0),
    connections: parts.reduce((sum, { connections }) => sum + connections, 0),
  }
}

/** How long a kept-alive connection must be idle to be ended: a client that is about to reuse it would lose a request. */
export const DRAIN_IDLE_MS = 2_500
const LOOK_EVERY_MS = 50

export interface DrainOptions {
  connections: Connections
  sessions: Http2Sessions
  counters: ListenerCounters
  /** Milliseconds until what remains is destroyed. */
  deadlineMs: number
  idleMs: number
  now: () => number
}

export interface DrainResult {
  /** Connections destroyed at the deadline; 0 when every request in flight had its answer. */
  destroyed: number
}

/**
 * Empties a listener that has stopped accepting. Every request in flight, and the first request of every connection
 * accepted, gets its answer:
 *
 * - HTTP/1: each answer from now on carries `connection: close`; connections that have served are ended after `idleMs`
 *   without a request (Node's `close()` and `closeIdleConnections()` race with clients and lose requests)
 * - HTTP/2: GOAWAY where streams are in flight, which finish; elsewhere with the next stream, or after `idleMs`
 * - at the deadline, what remains is destroyed
 */
export async function drainConnections(options: DrainOptions): Promise<DrainResult> {
  const { connections, counters, deadlineMs } = options
  for (const { response } of connections) {
    if (response !== null && !response.headersSent) response.shouldKeepAlive = false
  }
  endIdle(options)
  let destroyed = 0
  const ticker = setInterval(endIdle, LOOK_EVERY_MS, options)
  const deadline = setTimeout(() => {
    destroyed = connections.destroy()
    counters.destroyed += destroyed
  }, deadlineMs)
  await connections.empty()
  clearInterval(ticker)
  clearTimeout(deadline)
  return { destroyed }
}

function endIdle({ connections, sessions, counters, idleMs, now }: DrainOptions): void {
  const idleBefore = now() - idleMs
  for (const connection of connections) {
    if (!connection.served || connection.active > 0 || connection.idleSince > idleBefore) continue
    if (connection.socket.writableEnded) continue
    counters.drained++
    connection.socket.end()
  }
  for (const state of sessions) {
    if (state.streams.length > 0 || state.idleSince <= idleBefore) sessions.goAway(state)
  }
}
