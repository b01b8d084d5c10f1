import { Dispatcher, errors } from 'undici'
import type { Connection } from './connection.ts'
import { WaitingLine } from './waiting-line.ts'

/** How many connections a pool has, and what they do. */
export interface PoolStats {
  /** Open ones, and of these the idle ones. */
  connected: number
  free: number
  /** Requests that have a connection, or one that is being opened. */
  running: number
  /** Requests that wait for one. */
  pending: number
}

/**
 * HTTP/1.1 connections to one target, each with one request at a time: undici's `Client`s without its `Pool`, which goes
 * through its list of clients twice a request (bench/micro/connection-pool.ts), and loses a client to each
 * request that it refuses to write.
 *
 * The connection that became idle last is used first, so that those which quiet times do not need grow old and close; a
 * closed one is opened again only when no open one is idle. Requests wait in the order of their arrival, and one that is
 * given up meanwhile is gone at once (`Patient`).
 */
export class ConnectionPool extends Dispatcher {
  readonly #limit: number
  readonly #create: () => Connection
  readonly #connections: Connection[] = []
  /** Idle and open; the last one goes first. */
  readonly #warm: Connection[] = []
  /** Idle and closed. */
  readonly #cold: Connection[] = []
  readonly #line = new WaitingLine()
  #destroyed = false

  /** @param create makes a connection, which opens itself at its first request */
  constructor(limit: number, create: () => Connection) {
    super()
    this.#limit = limit
    this.#create = create
  }

  /** @returns `false` where the request has to wait */
  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    if (this.#destroyed) {
      fail(handler)
      return false
    }
    const connection = this.#warm.pop() ?? this.#cold.pop() ?? this.#add()
    if (connection === undefined) {
      this.#line.add(options, handler)
      return false
    }
    this.#send(connection, options, handler)
    return true
  }

  get stats(): PoolStats {
    return {
      connected: this.#connections.filter(({ open }) => open).length,
      free: this.#warm.length,
      running: this.#connections.length - this.#warm.length - this.#cold.length,
      pending: this.#line.length,
    }
  }

  /** Ends every connection; requests in flight and requests that wait fail. */
  override async destroy(): Promise<void> {
    this.#destroyed = true
    for (let waiting = this.#line.take(); waiting !== undefined; waiting = this.#line.take()) fail(waiting.handler)
    await Promise.all(this.#connections.map((connection) => connection.destroy()))
  }

  #add(): Connection | undefined {
    if (this.#connections.length >= this.#limit) return undefined
    const connection = this.#create()
    connection.on('drain', () => this.#idle(connection))
    connection.on('disconnect', () => this.#closed(connection))
    this.#connections.push(connection)
    return connection
  }

  #send(connection: Connection, options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    connection.dispatch(options, handler)
    // What it refuses to write (a field that cannot be sent) does not occupy it, and no 'drain' follows.
    if (connection.stats.size === 0) this.#idle(connection)
  }

  #idle(connection: Connection): void {
    if (this.#destroyed) return
    const next = this.#line.take()
    if (next !== undefined) this.#send(connection, next.options, next.handler)
    else if (connection.open) this.#warm.push(connection)
    else this.#cold.push(connection)
  }

  /** A connection has ended. Where that happened while it was idle, it is the last to be used. */
  #closed(connection: Connection): void {
    const index = this.#warm.lastIndexOf(connection)
    if (index === -1) return
    this.#warm.splice(index, 1)
    this.#cold.push(connection)
  }
}

function fail(handler: Dispatcher.DispatchHandler): void {
  // undici's own dispatchers say it in this way too; their types do not know that there is no controller then.
  const none = null as unknown as Dispatcher.DispatchController
  handler.onResponseError?.(none, new errors.ClientDestroyedError())
}
