/**
 * `node bench/micro/connection-pool.ts`: what a request costs through undici's Pool and through ours, both with undici's
 * clients, 64 in flight. Interleaved rounds; CPU time of this process, the origin is another one.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { buildConnector, type Client, type Dispatcher, Pool } from 'undici'
import { Connection } from '../../services/upstream/connection.ts'
import { ConnectionPool } from '../../services/upstream/connection-pool.ts'
import type { Announcement } from '../peers/peer.ts'

const ROUNDS = 9
const REQUESTS = 20_000
const IN_FLIGHT = 64
const CONNECTIONS = 128

const child = fork(fileURLToPath(new URL('../origin.ts', import.meta.url)))
const [announcement] = (await once(child, 'message')) as [Announcement]
if ('unavailable' in announcement || announcement.url === null) throw new Error('The origin serves nothing')
const origin = announcement.url

const connect = buildConnector({})
const settings: Client.Options = { connect, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 }
const create = (): Connection => new Connection(origin, settings, () => undefined)
const pools = {
  'undici Pool': new Pool(origin, { ...settings, connections: CONNECTIONS, factory: create }),
  ConnectionPool: new ConnectionPool(CONNECTIONS, create),
}

/** Sends the next request when its own has been answered, until there are none left. */
class Sender implements Dispatcher.DispatchHandler {
  readonly #pool: Dispatcher
  readonly #left: { count: number; running: number; done: () => void }

  constructor(pool: Dispatcher, left: { count: number; running: number; done: () => void }) {
    this.#pool = pool
    this.#left = left
  }

  send(): void {
    if (this.#left.count-- > 0) this.#pool.dispatch({ path: '/json/1k', method: 'GET' }, this)
    else if (--this.#left.running === 0) this.#left.done()
  }

  onRequestStart(): void {
    // Nothing to prepare.
  }

  onResponseStart(): void {
    // The head is not looked at.
  }

  onResponseData(): void {
    // Nor is the body.
  }

  onResponseEnd(): void {
    this.send()
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    throw error
  }
}

/** @returns CPU µs a request */
async function round(pool: Dispatcher): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const left = { count: REQUESTS, running: IN_FLIGHT, done: resolve }
  const before = process.cpuUsage()
  for (let i = 0; i < IN_FLIGHT; i++) new Sender(pool, left).send()
  await promise
  const { user, system } = process.cpuUsage(before)
  return (user + system) / REQUESTS
}

const results = new Map(Object.keys(pools).map((name) => [name, [] as number[]]))
for (const pool of Object.values(pools)) await round(pool)
for (let turn = 0; turn < ROUNDS; turn++) {
  for (const [name, pool] of Object.entries(pools)) results.get(name)?.push(await round(pool))
}
for (const [name, micros] of results) {
  const sorted = micros.toSorted((a, b) => a - b)
  const [least = 0, median = 0] = [sorted[0], sorted[ROUNDS >> 1]]
  console.log(`${name.padEnd(16)} ${median.toFixed(1)} µs a request (least ${least.toFixed(1)})`)
}
await Promise.all(Object.values(pools).map((pool) => pool.destroy()))
child.disconnect()
