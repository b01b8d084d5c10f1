import { EventEmitter } from 'node:events'
import type { Cluster, Redis } from 'ioredis'
import { type Call, callOf, type Command, isUnknownScript, type Reply } from './command.ts'
import { createClient, isCluster, isReadOnly, isRefusedDatabase, type RedisClient } from './client.ts'
import { RedisAwayError } from './errors.ts'
import type { RedisOptions } from './options.ts'

export interface RedisLinkStats {
  state: 'ready' | 'away'
  /** The last thing that went wrong with a connection, until one is ready again. */
  reason: string | null
  connections: number
  /** Commands that are not answered yet. */
  waiting: number
}

interface RedisLinkEvents {
  /** The first connection is there, or there again. */
  ready: []
  /** It is lost, or there was none: also told of further attempts that failed. */
  away: []
}

/** Commands that wait on one connection before another is opened. A large answer holds up all behind it. */
const CROWDED = 128

/**
 * The way to Redis that everything in a process shares. Commands go out in batches, the answers come in their order; one
 * connection carries 10 batches as fast as ten do (bench/micro/redis-tier.ts), so that another one is opened only when
 * that is crowded. One of the connections is kept for subscriptions.
 */
export class RedisLink extends EventEmitter<RedisLinkEvents> {
  readonly #options: RedisOptions
  readonly #connections: Connection[] = []
  #subscriber: RedisClient | undefined
  #closed = false

  /** Connects by itself, in the background. @throws HR_REDIS_TLS_FILE */
  constructor(options: RedisOptions) {
    super()
    this.#options = options
    const first = this.#open()
    first.client.on('ready', () => this.emit('ready'))
    first.client.on('close', () => this.emit('away'))
    // Sentinels that cannot be reached close nothing.
    first.client.on('error', () => {
      if (!this.ready) this.emit('away')
    })
  }

  /** Whether there is a point in asking. */
  get ready(): boolean {
    return this.#first.client.status === 'ready'
  }

  get reason(): string | null {
    return this.ready ? null : (this.#first.reason ?? 'not connected yet')
  }

  /** For others than the cache: the first connection. It is closed with the link. */
  get client(): RedisClient {
    return this.#first.client
  }

  /**
   * Runs commands, each on its own: one that fails does not keep the others back.
   * @returns a reply for each, in order
   * @throws HR_REDIS_AWAY where nothing could be sent
   */
  async batch(commands: readonly Command[]): Promise<readonly Reply[]> {
    const connection = this.#pick()
    const replies = await connection.send(commands.map((command) => callOf(command, 'evalsha')))
    const unknown = replies.flatMap((reply, index) => (isUnknownScript(reply) ? [index] : []))
    if (unknown.length === 0) return replies
    const again = await connection.send(unknown.map((index) => callOf(commands[index] as Command, 'eval')))
    return replies.map((reply, index) => {
      const at = unknown.indexOf(index)
      return at < 0 ? reply : again[at]
    })
  }

  /**
   * A connection in subscriber mode; made at the first call, and the same one after that. It subscribes nobody again when
   * it has been away: listen to its `ready`.
   */
  subscriber(): RedisClient {
    if (this.#subscriber === undefined) {
      this.#subscriber = createClient(this.#options, 'headrace-subscriber')
      // The reason is told by the first connection.
      this.#subscriber.on('error', () => {})
      this.#subscriber.connect().catch(() => {})
    }
    return this.#subscriber
  }

  /** What INFO says, of each master. @throws what Redis throws */
  async info(): Promise<string[]> {
    const { client } = this.#first
    if (isCluster(client)) return Promise.all(client.nodes('master').map((node) => node.info()))
    return [await client.info()]
  }

  stats(): RedisLinkStats {
    return {
      state: this.ready ? 'ready' : 'away',
      reason: this.reason,
      connections: this.#connections.length + (this.#subscriber === undefined ? 0 : 1),
      waiting: this.#connections.reduce((sum, { waiting }) => sum + waiting, 0),
    }
  }

  /** Ends all connections at once; what waits fails. */
  close(): void {
    this.#closed = true
    for (const { client } of this.#connections) client.disconnect()
    this.#subscriber?.disconnect()
  }

  get #first(): Connection {
    return this.#connections[0] as Connection
  }

  #pick(): Connection {
    let best: Connection | undefined
    for (const connection of this.#connections) {
      if (connection.client.status === 'ready' && connection.waiting < (best?.waiting ?? Infinity)) best = connection
    }
    if (best === undefined) throw new RedisAwayError(this.reason ?? 'no connection is ready')
    const hasRoom = this.#connections.length + 1 < this.#options.maxConnections
    // Ready for the next batches; this one does not wait for it.
    if (best.waiting > CROWDED && !isCluster(best.client) && hasRoom && !this.#closed) this.#open()
    return best
  }

  #open(): Connection {
    const connection = new Connection(createClient(this.#options, 'headrace'))
    this.#connections.push(connection)
    return connection
  }
}

type Method = (...args: readonly unknown[]) => Promise<Reply>

class Connection {
  readonly client: RedisClient
  reason: string | null = null
  waiting = 0

  constructor(client: RedisClient) {
    this.client = client
    /** Its database was refused: what goes wrong after that only follows from it. */
    let isRefused = false
    client.on('connect', () => {
      isRefused = false
    })
    client.on('error', (error: Error) => {
      if (isRefused) return
      isRefused = isRefusedDatabase(error)
      // A cluster's own error says only that all nodes failed; the last of them says why.
      const last = (error as { lastNodeError?: Error }).lastNodeError
      this.reason = (last ?? error).message
    })
    client.on('close', () => {
      this.reason ??= 'the connection was closed'
    })
    client.on('ready', () => {
      this.reason = null
    })
    // It goes on trying; `error` has the reason.
    client.connect().catch(() => {})
  }

  async send(calls: readonly Call[]): Promise<readonly Reply[]> {
    this.waiting += calls.length
    try {
      const replies = await (isCluster(this.client) ? scattered(this.client, calls) : pipelined(this.client, calls))
      // The client leaves a replica without a word.
      this.reason = replies.find(isReadOnly)?.message ?? this.reason
      return replies
    } finally {
      this.waiting -= calls.length
    }
  }
}

async function pipelined(client: Redis, calls: readonly Call[]): Promise<readonly Reply[]> {
  const results = await client.pipeline(calls.map(([name, ...args]) => [`${name}Buffer`, ...args])).exec()
  return (results ?? []).map(([error, reply]) => error ?? reply)
}

/** The client sorts commands by node, and sends those of one turn together. */
async function scattered(client: Cluster, calls: readonly Call[]): Promise<readonly Reply[]> {
  const methods = client as unknown as Record<string, Method>
  const results = await Promise.allSettled(
    calls.map(([name, ...args]) => (methods[`${name}Buffer`] as Method).apply(client, args)),
  )
  return results.map((result) => (result.status === 'fulfilled' ? result.value : result.reason))
}
