import { test, type Test } from 'tap'
import { buildConnector, type Dispatcher } from 'undici'
import { Connection } from '../../../services/upstream/connection.ts'
import { ConnectionPool } from '../../../services/upstream/connection-pool.ts'
import type { Patient, Waiting } from '../../../services/upstream/waiting-line.ts'
import type { UpstreamExchange } from '../../upstream-exchange.ts'
import { REFUSING_ORIGIN, startUpstream } from '../../upstream-server.ts'

function poolOf(t: Test, origin: string, limit: number): ConnectionPool {
  const connect = buildConnector({ timeout: 5_000 })
  const pool = new ConnectionPool(limit, () => new Connection(origin, { connect, pipelining: 1 }, () => undefined))
  t.teardown(() => pool.destroy())
  return pool
}

/** A request, and how it ended: its status, or the code of its error. */
class Asked implements Dispatcher.DispatchHandler, Patient {
  waiting: Waiting | undefined
  #status = 0
  readonly #ended = Promise.withResolvers<number | string>()
  readonly ended = this.#ended.promise

  constructor(pool: ConnectionPool, path: string, headers: string[] = []) {
    pool.dispatch({ path, method: 'GET', headers }, this)
  }

  onRequestStart(): void {}

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    this.#status = status
  }

  onResponseData(): void {}

  onResponseEnd(): void {
    this.#ended.resolve(this.#status)
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error & { code?: string }): void {
    this.#ended.resolve(error.code ?? error.name)
  }
}

/** Answers what was asked when the test says so. */
function held(): { play: (exchange: UpstreamExchange) => void; release: (index: number) => void } {
  const exchanges: UpstreamExchange[] = []
  return {
    play: (exchange) => exchanges.push(exchange),
    release: (index) => exchanges[index]?.respond(200, [], 'ok'),
  }
}

void test('requests beyond the limit wait, and get connections in the order of their arrival', async (t) => {
  const { play, release } = held()
  const upstream = await startUpstream(t, play)
  const pool = poolOf(t, upstream.origin, 2)
  const asked = ['/1', '/2', '/3', '/4', '/5'].map((path) => new Asked(pool, path))
  await upstream.received(2)
  t.match(pool.stats, { connected: 2, free: 0, running: 2, pending: 3 })
  for (let index = 0; index < 5; index++) {
    release(index)
    t.equal(await asked[index]?.ended, 200)
    if (index < 3) await upstream.received(index + 3)
  }
  t.strictSame(
    upstream.requests.slice(2).map(({ target }) => target),
    ['/3', '/4', '/5'],
  )
  t.equal(upstream.connections.length, 2)
})

void test('a request that is given up while it waits is never sent, and waits no longer', async (t) => {
  const { play, release } = held()
  const upstream = await startUpstream(t, play)
  const pool = poolOf(t, upstream.origin, 1)
  const [first, second, third, fourth] = ['/1', '/2', '/3', '/4'].map((path) => new Asked(pool, path))
  await upstream.received(1)
  third?.waiting?.withdraw()
  t.equal(pool.stats.pending, 2)
  second?.waiting?.withdraw()
  t.equal(second?.waiting, undefined)
  t.equal(pool.stats.pending, 1)
  release(0)
  await upstream.received(2)
  release(1)
  t.strictSame([await first?.ended, await fourth?.ended], [200, 200])
  t.strictSame(
    upstream.requests.map(({ target }) => target),
    ['/1', '/4'],
  )
})

void test('the connection that became idle last is used first, and one that was closed meanwhile last', async (t) => {
  const { play, release } = held()
  const upstream = await startUpstream(t, play)
  const pool = poolOf(t, upstream.origin, 3)
  const three = ['/1', '/2', '/3'].map((path) => new Asked(pool, path))
  await upstream.received(3)
  const order = upstream.requests.map(({ connection }) => connection)
  const idle = (count: number): Promise<void> => untilFree(pool, count)
  for (const [index, asked] of three.entries()) {
    release(index)
    await asked.ended
    await idle(index + 1)
  }
  const again = new Asked(pool, '/4')
  t.equal((await upstream.received(4)).connection, order[2])
  release(3)
  await again.ended
  await idle(3)
  // The upstream closes the one that would be next.
  upstream.connections[order[2] as number]?.socket.end()
  await idle(2)
  const after = new Asked(pool, '/5')
  t.equal((await upstream.received(5)).connection, order[1])
  release(4)
  t.equal(await after.ended, 200)
  t.equal(upstream.connections.length, 3, 'nothing was opened anew while others were idle')
})

void test('a request that cannot be written takes no connection away', async (t) => {
  const upstream = await startUpstream(t, (exchange) => exchange.respond(200, [], 'ok'))
  const pool = poolOf(t, upstream.origin, 1)
  for (let turn = 0; turn < 3; turn++) {
    t.equal(await new Asked(pool, '/', ['upgrade', 'no']).ended, 'UND_ERR_INVALID_ARG')
    t.equal(pool.stats.running, 0)
  }
  t.equal(await new Asked(pool, '/').ended, 200)
})

void test('a target that refuses connections is tried again by the next request', async (t) => {
  const pool = poolOf(t, REFUSING_ORIGIN, 1)
  const [one, two] = [new Asked(pool, '/'), new Asked(pool, '/')]
  t.strictSame([await one.ended, await two.ended], ['ECONNREFUSED', 'ECONNREFUSED'])
  t.equal(await new Asked(pool, '/').ended, 'ECONNREFUSED')
})

void test('closing fails what is under way and what waits', async (t) => {
  const { play } = held()
  const upstream = await startUpstream(t, play)
  const pool = poolOf(t, upstream.origin, 1)
  const asked = [new Asked(pool, '/1'), new Asked(pool, '/2')]
  await upstream.received(1)
  await pool.destroy()
  t.strictSame(await Promise.all(asked.map(({ ended }) => ended)), ['UND_ERR_DESTROYED', 'UND_ERR_DESTROYED'])
  t.equal(await new Asked(pool, '/3').ended, 'UND_ERR_DESTROYED')
})

/** The pool learns of an idle or closed connection one turn of the event loop later. */
async function untilFree(pool: ConnectionPool, count: number): Promise<void> {
  while (pool.stats.free !== count) await new Promise((resolve) => setImmediate(resolve))
}
