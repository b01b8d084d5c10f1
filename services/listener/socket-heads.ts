import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { endsWithEmptyLine, readPlainHead } from '../http/plain-head.ts'
import { type Connection, connectionOf } from './connections.ts'
import type { ListenerCounters } from './counters.ts'
import type { DrainState } from './drain.ts'
import type { RequestHandlers } from './handlers.ts'
import type { LimitsOptions } from './options.ts'

export interface SocketHeadsContext {
  /** Parses what is not answered at once. */
  http1: Server
  handlers: Pick<RequestHandlers, 'head' | 'wantsHeads'>
  counters: ListenerCounters
  drain: DrainState
  limits: Pick<LimitsOptions, 'headerBytes' | 'headerCount'>
  now: () => number
}

/**
 * Stands between the sockets of HTTP/1.1 and node:http. A chunk that is one plain request, whole, at the beginning of a
 * message, on a connection with nothing in flight, goes to `handlers.head`; whatever that does not answer, and every other
 * chunk, goes to node:http's parser as it came. What a request is, is decided there alone: a plain one is one under any
 * reading (services/http/plain-head.ts).
 *
 * node:http gets a connection with the first chunk that it is needed for, and from then on times its heads.
 *
 * @returns begins to read a connection
 */
export function createSocketHeads(context: SocketHeadsContext): (connection: Connection) => void {
  const { http1, handlers, counters, drain, limits, now } = context

  function onData(this: Socket, chunk: Buffer): void {
    const connection = connectionOf(this) as Connection
    // RFC 9112 §9.6: what follows the last request is not processed.
    if (connection.farewell !== null) return
    if (isIdle(connection) && answers(connection, chunk)) return
    feed(connection, chunk)
  }

  /** Nothing is in flight, and the next byte begins a message. */
  function isIdle({ active, atBoundary, last, socket }: Connection): boolean {
    return active === 0 && atBoundary && last === null && !drain.draining && socket.writable
  }

  function answers(connection: Connection, chunk: Buffer): boolean {
    if (handlers.head === null || chunk.length > limits.headerBytes || handlers.wantsHeads?.() === false) return false
    const head = readPlainHead(chunk, limits.headerCount)
    const { socket } = connection
    if (head === undefined || !handlers.head(head, socket)) return false
    counters.requests++
    connection.served = true
    connection.idleSince = now()
    // A client that asks on and reads nothing: as node:http does, nothing more is read from it either.
    if (socket.writableNeedDrain) {
      socket.pause()
      socket.once('drain', resume)
    }
    return true
  }

  function feed(connection: Connection, chunk: Buffer): void {
    connection.feed ??= giveToParser(connection)
    connection.feed(chunk)
    // An empty line ends whatever head it stands in, and a request whose head has ended is known: where that one is complete
    // as well, the parser is at the beginning of the next.
    connection.atBoundary = endsWithEmptyLine(chunk) && connection.request?.complete !== false
  }

  /** @returns what node:http would have had its chunks by */
  function giveToParser(connection: Connection): (chunk: Buffer) => void {
    const { socket } = connection
    socket.off('end', onEnd)
    socket.off('data', onData)
    connection.isParsed = true
    http1.emit('connection', socket)
    const [parse] = socket.listeners('data') as [(chunk: Buffer) => void]
    // node:http lets go of the socket's handle, from which it reads past the stream, for whoever listens to its data.
    socket.on('data', onData)
    socket.off('data', parse)
    return parse
  }

  return (connection) => {
    const { socket } = connection
    if (handlers.head === null) {
      connection.isParsed = true
      http1.emit('connection', socket)
      return
    }
    socket.on('error', destroy)
    socket.on('end', onEnd)
    socket.on('data', onData)
  }
}

function resume(this: Socket): void {
  this.resume()
}

function destroy(this: Socket): void {
  this.destroy()
}

/** The client has said its last word, and has its answers. */
function onEnd(this: Socket): void {
  this.end()
}
