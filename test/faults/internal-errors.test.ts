import { test, type Test } from 'tap'
import { Admission } from '../../services/downstream/admission.ts'
import { Forwarding } from '../../services/downstream/forwarding.ts'
import { Http1Reply } from '../../services/downstream/http1-reply.ts'
import { Http2Reply } from '../../services/downstream/http2-reply.ts'
import { Traffic } from '../../services/monitor/traffic.ts'
import { Target } from '../../services/upstream/target.ts'
import type { Protocol } from '../client.ts'
import { everyProtocol, type Gateway, managedGatewayBefore, isProblem, PATIENCE } from '../helper.ts'
import { cachedBefore } from '../scenarios/cache/cached.ts'
import { Milestones } from '../signal.ts'

/** A bug in the gateway's own code, wherever it stands: one client is told, or cut off, and nobody else notices. */

class Bug extends Error {
  override name = 'Bug'
}

/** A stream is the same over TLS. */
const PROTOCOLS: Protocol[] = ['h1', 'h2c']

/** The first call of a method throws; `after` calls that do not. */
function breakOnce<T extends object>(t: Test, prototype: T, method: keyof T & string, after = 0): void {
  const real = prototype[method] as (this: unknown, ...args: unknown[]) => unknown
  let calls = 0
  t.intercept(prototype, method, {
    configurable: true,
    value(this: unknown, ...args: unknown[]) {
      if (calls++ === after) throw new Bug(method)
      return real.apply(this, args)
    },
  })
}

async function admin(gateway: Gateway, path: string): Promise<string> {
  const response = await fetch(`${gateway.adminUrl}${path}`, { headers: { authorization: `Bearer ${gateway.token}` } })
  return response.text()
}

/** It has counted `count`, holds nothing of the request any more, and answers the next one. */
async function isUnharmed(t: Test, gateway: Gateway, count = 1): Promise<void> {
  t.match(await admin(gateway, '/metrics'), new RegExp(String.raw`^headrace_internal_errors_total ${count}$`, 'm'))
  const [pool] = JSON.parse(await admin(gateway, '/performance/pools')).pools
  t.match(pool.connections, { running: 0, pending: 0, queued: 0 }, 'nothing is left in flight')
  t.equal((await (await gateway.client('h1')).request({ path: '/next' })).status, 200)
}

everyProtocol(
  'a bug in admission is a 500',
  async (t, protocol) => {
    const { gateway, upstream } = await managedGatewayBefore(t, (exchange) => exchange.respond())
    const client = await gateway.client(protocol)
    breakOnce(t, Admission.prototype, 'admit')
    isProblem(t, await client.request({ path: '/x' }), 500)
    t.equal(upstream.requests.length, 0)
    await isUnharmed(t, gateway)
  },
  PROTOCOLS,
)

everyProtocol(
  'a bug before the request is sent is a 500',
  async (t, protocol) => {
    const { gateway } = await managedGatewayBefore(t, (exchange) => exchange.respond())
    const client = await gateway.client(protocol)
    breakOnce(t, Forwarding.prototype, 'addTo')
    const response = await client.request({ method: 'POST', path: '/x', body: 'a body' })
    isProblem(t, response, 500)
    t.match(response.body.toString(), /HR_INTERNAL/)
    await isUnharmed(t, gateway)
  },
  PROTOCOLS,
)

everyProtocol(
  'a bug on the head of an answer is a 500, and not the upstream’s fault',
  async (t, protocol) => {
    const { gateway } = await managedGatewayBefore(t, (exchange) => exchange.respond())
    const client = await gateway.client(protocol)
    breakOnce(t, Forwarding.prototype, 'viaOf')
    isProblem(t, await client.request({ path: '/x' }), 500)
    await isUnharmed(t, gateway)
    const [{ errors, outcomes, lastError }] = JSON.parse(await admin(gateway, '/performance/pools')).pools
    t.match(
      { errors, outcomes, lastError },
      { errors: 0, outcomes: { internal_error: 1, response: 1 }, lastError: null },
    )
  },
  PROTOCOLS,
)

everyProtocol(
  'a bug on a piece of an answer breaks it off',
  async (t, protocol) => {
    const { gateway } = await managedGatewayBefore(t, async (exchange) => {
      await exchange.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
      if (exchange.request.target !== '/next') {
        await exchange.chunk('piece')
        await exchange.chunk('another')
      }
      await exchange.lastChunk()
    })
    const client = await gateway.client(protocol)
    // Over HTTP/2 the head leaves with the first.
    breakOnce(t, protocol === 'h1' ? Http1Reply.prototype : Http2Reply.prototype, 'write', 1)
    t.equal(await (await client.open({ path: '/x' })).response.ending(), 'broken')
    await isUnharmed(t, gateway)
  },
  PROTOCOLS,
)

everyProtocol(
  'a bug on the end of an answer does not leave its client waiting',
  async (t, protocol) => {
    const { gateway } = await managedGatewayBefore(t, async (exchange) => {
      await exchange.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
      await exchange.chunk('piece')
      await exchange.lastChunk()
    })
    const client = await gateway.client(protocol)
    breakOnce(t, protocol === 'h1' ? Http1Reply.prototype : Http2Reply.prototype, 'end')
    t.equal(await (await client.open({ path: '/x' })).response.ending(), 'broken')
    await isUnharmed(t, gateway)
  },
  PROTOCOLS,
)

everyProtocol(
  'a bug on trailers breaks the answer off',
  async (t, protocol) => {
    const { gateway } = await managedGatewayBefore(t, async (exchange) => {
      await exchange.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
      await exchange.chunk('piece')
      await exchange.lastChunk(exchange.request.target === '/next' ? [] : [['X-Sum', '1']])
    })
    const client = await gateway.client(protocol)
    const real = Http2Reply.prototype.end
    t.intercept(Http2Reply.prototype, 'end', {
      configurable: true,
      value(this: Http2Reply, chunk?: Uint8Array) {
        // Node refuses pseudo-fields in trailers.
        return real.call(this, chunk, [':status', '200'])
      },
    })
    t.equal(await (await client.open({ path: '/x' })).response.ending(), 'broken')
    await isUnharmed(t, gateway)
  },
  ['h2c'],
)

everyProtocol(
  'a bug while an upstream’s failure is booked is a 500',
  async (t, protocol) => {
    const { gateway } = await managedGatewayBefore(t, [
      (exchange) => exchange.reset(),
      (exchange) => exchange.respond(),
    ])
    const client = await gateway.client(protocol)
    breakOnce(t, Target.prototype, 'settle')
    isProblem(t, await client.request({ method: 'POST', path: '/x' }), 500)
    await isUnharmed(t, gateway)
  },
  PROTOCOLS,
)

void test('a bug at a deadline is a 500', { timeout: PATIENCE }, async (t) => {
  const { gateway } = await managedGatewayBefore(
    t,
    (exchange) => (exchange.request.target === '/next' ? exchange.respond() : undefined),
    { to: { timeout: { firstByte: '50ms' } } },
  )
  breakOnce(t, Target.prototype, 'settle')
  isProblem(t, await (await gateway.client('h1')).request({ path: '/x' }), 500)
  await isUnharmed(t, gateway)
})

everyProtocol(
  'a bug while a client leaves holds nothing back',
  async (t, protocol) => {
    const arrived = Promise.withResolvers<void>()
    const left = Promise.withResolvers<void>()
    const { gateway } = await managedGatewayBefore(t, async (exchange) => {
      if (exchange.request.target === '/next') return exchange.respond()
      arrived.resolve()
      await exchange.stall()
      left.resolve()
    })
    const client = await gateway.client(protocol)
    breakOnce(t, Target.prototype, 'settle')
    const exchange = await client.open({ path: '/x' })
    await arrived.promise
    exchange.abort()
    await left.promise
    await isUnharmed(t, gateway)
  },
  PROTOCOLS,
)

void test('a bug in what counts requests costs nobody the answer', { timeout: PATIENCE }, async (t) => {
  const real = Traffic.prototype.route
  t.intercept(Traffic.prototype, 'route', {
    configurable: true,
    value(this: Traffic, label: string) {
      const route = real.call(this, label)
      breakOnce(t, route, 'record')
      return route
    },
  })
  const { gateway } = await managedGatewayBefore(t, (exchange) => exchange.respond())
  t.equal((await (await gateway.client('h1')).request({ path: '/x' })).status, 200)
  await isUnharmed(t, gateway)
})

void test('a bug with one of those who share an answer leaves the others theirs', { timeout: PATIENCE }, async (t) => {
  for (const [method, after] of [
    ['head', 1],
    ['write', 1],
  ] as const) {
    const bugs: unknown[] = []
    const answer = Promise.withResolvers<void>()
    const cached = await cachedBefore(
      t,
      async (exchange) => {
        await answer.promise
        await exchange.respond(200, [['Cache-Control', 'max-age=60']], 'shared')
      },
      { broke: (error) => void bugs.push(error) },
    )
    const handled = new Milestones()
    const handle = cached.cache.handle.bind(cached.cache)
    cached.cache.handle = (exchange) => {
      handle(exchange)
      handled.advance()
    }
    const waiting = Array.from({ length: 3 }, () => cached.get('/x'))
    await handled.wait(3)
    breakOnce(t, Http1Reply.prototype, method, after)
    answer.resolve()
    const got = await Promise.all(waiting)
    t.same(
      got.map(({ status }) => status).toSorted((a, b) => a - b),
      [200, 200, 500],
    )
    t.match(bugs, [{ name: 'Bug' }], method)
    t.equal(cached.upstream.requests.length, 1)
    t.equal(cached.cache.flights, 0)
    t.equal((await cached.get('/x')).get('cache-status')?.includes('; hit'), true, 'it was stored all the same')
  }
})
