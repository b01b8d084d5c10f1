import { test } from 'tap'
import { PATIENCE } from '../../helper.ts'
import { startUpstream } from '../../upstream-server.ts'
import { beforeTargets } from './before-targets.ts'

/** One at a time, and one more may wait. */
const ONE = { min: 1, max: 1, initial: 1, queue: 1, wait: '30s' }

void test('what is more than the limit waits its turn, and more than may wait is answered 503', {
  timeout: PATIENCE,
}, async (t) => {
  const first = Promise.withResolvers<void>()
  const upstream = await startUpstream(t, [
    async (exchange) => {
      await first.promise
      await exchange.respond(200, [], 'first')
    },
    (exchange) => exchange.respond(200, [], 'second'),
    (exchange) => exchange.respond(200, [], 'third'),
  ])
  const { ask, api, open } = await beforeTargets(t, { to: { targets: [upstream.origin], concurrency: ONE } })
  const held = ask({ path: '/1' })
  await upstream.received(1)
  const waiting = await open({ path: '/2' })
  const until = performance.now() + PATIENCE / 2
  while (api.snapshot()[0]?.concurrency?.waiting !== 1 && performance.now() < until) {
    await new Promise((resolve) => setImmediate(resolve))
  }
  const refused = await ask({ path: '/3' })
  t.match(JSON.parse(String(refused.body)), { status: 503, code: 'HR_UPSTREAM_CONCURRENCY' })
  t.equal(refused.get('retry-after'), '1')
  t.match(api.snapshot()[0]?.concurrency, { limit: 1, inFlight: 1, waiting: 1, refused: 1 })
  first.resolve()
  t.equal(String((await held).body), 'first')
  t.equal(String((await waiting.response.whole()).body), 'second')
  t.equal(String((await ask({ path: '/4' })).body), 'third')
  t.match(api.snapshot()[0]?.concurrency, { inFlight: 0, waiting: 0 })
})

void test('who waits too long is answered 503, and who leaves meanwhile is forgotten', {
  timeout: PATIENCE,
}, async (t) => {
  const upstream = await startUpstream(t, [(exchange) => exchange.stall(), (exchange) => exchange.respond()])
  const { ask, api, open, over } = await beforeTargets(t, {
    to: { targets: [upstream.origin], concurrency: { ...ONE, wait: '20ms' } },
  })
  const held = await open({ path: '/1' })
  await upstream.received(1)
  t.match(JSON.parse(String((await ask({ path: '/2' })).body)), { code: 'HR_UPSTREAM_CONCURRENCY' })
  held.abort()
  await over(2)
  t.match(api.snapshot()[0]?.concurrency, { inFlight: 0, waiting: 0, refused: 1 })
  t.equal((await ask({ path: '/3' })).status, 200)
})

void test('an event stream takes no place once it has begun, and a hit never does', {
  timeout: PATIENCE,
}, async (t) => {
  const upstream = await startUpstream(t, async (exchange) => {
    if (exchange.request.target === '/cached') return exchange.respond(200, [['Cache-Control', 'max-age=600']], 'kept')
    if (exchange.request.target !== '/stream') return exchange.respond()
    return exchange.send('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n')
  })
  const { ask, api, open } = await beforeTargets(t, {
    to: { targets: [upstream.origin], concurrency: { ...ONE, queue: 0 } },
    route: { cache: true },
  })
  t.equal(String((await ask({ path: '/cached' })).body), 'kept')
  const stream = await open({ path: '/stream' })
  await stream.response.head()
  t.equal((await ask({ path: '/other' })).status, 200, 'beside an open stream')
  t.equal(String((await ask({ path: '/cached' })).body), 'kept')
  t.equal(api.snapshot()[0]?.concurrency?.inFlight, 0)
  stream.abort()
})
