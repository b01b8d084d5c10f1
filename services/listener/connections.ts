import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { resetSocket } from '../http/reset.ts'
import type { ListenerCounters } from './counters.ts'

const CONNECTION = Symbol('headrace.connection')

/** How many connections the process holds and may hold: one object shared by all its public listeners. */
export interface ConnectionBudget {
  readonly limit: number
  open: number
}

/** One connection that speaks HTTP/1: over TLS it exists from the end of the handshake. (HTTP/2: http2-sessions.ts.) */
export interface Connection {
  /** The socket that HTTP is spoken on (the TLS socket where there is one). */
  readonly socket: Socket
  /** The connection has had a request; one that waits for its first is never ended as idle. */
  served: boolean
  /** Requests in flight: begun, their responses not over. */
  active: number
  /** Milliseconds on the listener's clock when the last of them was over. */
  idleSince: number
  /** How much had come when it was last looked at as an idle one (idle-connections.ts). */
  bytesRead: number
  /** The last request begun, as long as it is in flight or its body is incomplete. */
  request: IncomingMessage | null
  /** Its response, while in flight. */
  response: ServerResponse | null
  /** node:http has the connection, and times the heads on it. */
  isParsed: boolean
  /** How its parser gets what comes, where something else reads the socket (socket-heads.ts). */
  feed: ((chunk: Buffer) => void) | null
  /** What its parser has had so far ends with the end of a message. */
  atBoundary: boolean
  /** Nothing that comes after this request is read as one; the connection ends with its answer. */
  last: IncomingMessage | null
  /** An answer that waits for those before it; the connection ends with it. */
  farewell: string | null
}

type Carrier = Socket & { [CONNECTION]?: Connection }

/** The connection of a socket that HTTP is spoken on. */
export function connectionOf(socket: Socket): Connection | undefined {
  return (socket as Carrier)[CONNECTION]
}

/** The connections of one listener: the cap of the process, and the state that drain and the body rate look at. */
export class Connections {
  readonly #budget: ConnectionBudget
  readonly #counters: ListenerCounters
  readonly #sockets = new Set<Socket>()
  readonly #http = new Set<Connection>()
  #onEmpty: (() => void) | null = null

  constructor(budget: ConnectionBudget, counters: ListenerCounters) {
    this.#budget = budget
    this.#counters = counters
  }

  /** Takes an accepted socket. @returns false when the process is full: the socket is destroyed then */
  admit(socket: Socket): boolean {
    if (this.#budget.open >= this.#budget.limit) {
      this.#counters.refused++
      socket.destroy()
      return false
    }
    this.#budget.open++
    this.#counters.accepted++
    this.#counters.open++
    this.#sockets.add(socket)
    socket.once('close', () => {
      this.#sockets.delete(socket)
      this.#budget.open--
      this.#counters.open--
      if (this.#sockets.size === 0) this.#onEmpty?.()
    })
    return true
  }

  /** Follows the HTTP/1 spoken on a socket (the accepted one, or the TLS socket around it) until it closes. */
  track(socket: Socket, now: number): Connection {
    const connection: Connection = {
      socket,
      served: false,
      active: 0,
      idleSince: now,
      bytesRead: -1,
      request: null,
      response: null,
      isParsed: false,
      feed: null,
      atBoundary: true,
      last: null,
      farewell: null,
    }
    ;(socket as Carrier)[CONNECTION] = connection
    this.#http.add(connection)
    socket.once('close', () => this.#http.delete(connection))
    return connection
  }

  /** Those that speak HTTP/1. */
  [Symbol.iterator](): IterableIterator<Connection> {
    return this.#http.values()
  }

  /** Accepted sockets still open, those in a handshake too. */
  get size(): number {
    return this.#sockets.size
  }

  /** Resolves once no accepted socket is open. */
  empty(): Promise<void> {
    if (this.#sockets.size === 0) return Promise.resolve()
    return new Promise((resolve) => {
      const before = this.#onEmpty
      this.#onEmpty = () => {
        before?.()
        this.#onEmpty = null
        resolve()
      }
    })
  }

  /** Destroys every socket; an answer under way ends in a reset, never in what could be its end. @returns how many */
  destroy(): number {
    const { size } = this.#sockets
    for (const { active, socket } of this.#http) if (active > 0) resetSocket(socket)
    for (const socket of this.#sockets) socket.destroy()
    return size
  }
}
