import { test } from 'tap'
import { PATIENCE, startManagedGateway } from '../../helper.ts'
import { until } from '../../until.ts'
import { type Play, startUpstream } from '../../upstream-server.ts'
import { beforeTargets } from './before-targets.ts'

const BREAKER = { failures: 2, openFor: '7s', probes: 1 }

/** Answers as it is told to, until it is told otherwise. */
function moody(): { play: Play; status: number; fields: [string, string][] } {
  const mood = { status: 200, fields: [] as [string, string][], play: (() => undefined) as Play }
  mood.play = (exchange) => exchange.respond(mood.status, mood.fields, `said ${mood.status}`)
  return mood
}

void test('where every breaker is open, requests are answered 503 at once, until one that tries succeeds', {
  timeout: PATIENCE,
}, async (t) => {
  const mood = moody()
  const upstream = await startUpstream(t, mood.play)
  const { ask, api, clock, events } = await beforeTargets(t, { to: { targets: [upstream.origin], breaker: BREAKER } })
  mood.status = 503
  t.equal((await ask({})).status, 503)
  t.equal((await ask({ method: 'POST', body: 'x' })).status, 503)
  const refused = await ask({})
  t.match(JSON.parse(String(refused.body)), { status: 503, code: 'HR_UPSTREAM_BREAKER_OPEN' })
  t.equal(refused.get('retry-after'), '7')
  t.equal(upstream.requests.length, 2)
  t.match(api.snapshot()[0], { state: 'open', breaker: { state: 'open', opened: 1 } })

  clock.pass(7_000)
  t.equal(String((await ask({})).body), 'said 503', 'it was tried')
  t.equal((await ask({})).get('retry-after'), '7')
  mood.status = 200
  clock.pass(7_000)
  for (let request = 0; request < 3; request++) t.equal((await ask({})).status, 200)
  t.strictSame(
    events.map((event) => (event.type === 'breaker' ? event.to : event.type)),
    ['open', 'half-open', 'open', 'half-open', 'closed'],
  )
})

void test('a target whose breaker is open gets nothing while another can be had', { timeout: PATIENCE }, async (t) => {
  const bad = await startUpstream(t, (exchange) => exchange.respond(502))
  const good = await startUpstream(t, (exchange) => exchange.respond())
  const { ask } = await beforeTargets(t, {
    to: { targets: [bad.origin, good.origin], balance: 'round-robin', outliers: false, breaker: BREAKER },
  })
  for (let request = 0; request < 10; request++) await ask({})
  t.equal(bad.requests.length, 2)
  t.equal(good.requests.length, 8)
})

void test('a client that leaves while the target is tried makes room for the next', {
  timeout: PATIENCE,
}, async (t) => {
  const plays: Play[] = [
    (exchange) => exchange.respond(503),
    (exchange) => exchange.respond(503),
    (exchange) => exchange.stall(),
    (exchange) => exchange.respond(),
  ]
  const upstream = await startUpstream(t, plays)
  const { ask, api, clock, open, over } = await beforeTargets(t, {
    to: { targets: [upstream.origin], breaker: BREAKER },
  })
  for (let request = 0; request < 2; request++) await ask({})
  clock.pass(7_000)
  const leaving = await open({ path: '/' })
  await upstream.received(3)
  t.equal((await ask({})).status, 503, 'one at a time')
  leaving.abort()
  await over(4)
  t.equal((await ask({})).status, 200)
  t.equal(api.snapshot()[0]?.breaker?.state, 'closed')
})

void test('an event stream that tries a target keeps nobody away from it', { timeout: PATIENCE }, async (t) => {
  const plays: Play[] = [
    (exchange) => exchange.respond(503),
    (exchange) => exchange.respond(503),
    (exchange) => exchange.send('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n'),
    (exchange) => exchange.respond(),
    (exchange) => exchange.send('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n'),
    (exchange) => exchange.respond(),
  ]
  const upstream = await startUpstream(t, plays)
  const { ask, api, clock, open, over } = await beforeTargets(t, {
    to: { targets: [upstream.origin], breaker: { ...BREAKER, probes: 2 } },
  })
  for (let request = 0; request < 2; request++) await ask({})
  clock.pass(7_000)
  const stream = await open({ path: '/' })
  t.equal((await stream.response.head()).status, 200)
  t.equal(api.snapshot()[0]?.breaker?.state, 'half-open')
  t.equal((await ask({})).status, 200, 'one at a time has room beside it')
  t.equal(api.snapshot()[0]?.breaker?.state, 'closed')
  const further = await open({ path: '/' })
  t.equal((await further.response.head()).status, 200)
  stream.abort()
  further.abort()
  await over(5)
  t.equal((await ask({})).status, 200)
})

void test('an answer that breaks off as it tries a target opens its breaker again', {
  timeout: PATIENCE,
}, async (t) => {
  const half: Play = async (exchange) => {
    await exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf')
    exchange.reset()
  }
  const upstream = await startUpstream(t, [
    (exchange) => exchange.respond(503),
    (exchange) => exchange.respond(503),
    half,
  ])
  const { ask, api, clock, open, over } = await beforeTargets(t, {
    to: { targets: [upstream.origin], breaker: { ...BREAKER, probes: 2 } },
  })
  for (let request = 0; request < 2; request++) await ask({})
  clock.pass(7_000)
  await t.rejects((await open({ path: '/' })).response.whole())
  await over(3)
  t.match(api.snapshot()[0]?.breaker, { state: 'open', opened: 2 })
})

void test('a cached answer is served stale while every breaker is open', { timeout: PATIENCE }, async (t) => {
  const mood = moody()
  mood.fields = [['Cache-Control', 'max-age=0, stale-if-error=600']]
  const upstream = await startUpstream(t, mood.play)
  const { ask } = await beforeTargets(t, {
    to: { targets: [upstream.origin], breaker: BREAKER },
    route: { cache: true },
  })
  t.equal(String((await ask({})).body), 'said 200')
  mood.status = 503
  for (let request = 0; request < 5; request++) {
    const { status, body } = await ask({})
    t.strictSame([status, String(body)], [200, 'said 200'])
  }
  t.equal(upstream.requests.length, 3, 'the breaker opened at the second failure')
})

void test('a target that is removed and added while its breaker is open is tried again', {
  timeout: PATIENCE,
}, async (t) => {
  const mood = moody()
  const upstream = await startUpstream(t, async (exchange) => {
    if (exchange.request.target !== '/stream') return mood.play(exchange)
    await exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx')
    return exchange.stall()
  })
  const { client, adminUrl, token } = await startManagedGateway(t, {
    upstreams: {
      api: { targets: [upstream.origin], failureStatuses: [500], breaker: { ...BREAKER, openFor: '100ms' } },
    },
    routes: { '/*': { to: 'api' } },
  })
  const become = (state: 'active' | 'removed') =>
    fetch(`${adminUrl}/performance/pools/targets`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ upstream: 'api', target: upstream.origin, state }),
    })
  const stream = await (await client('h1')).open({ path: '/stream' })
  await upstream.received(1)
  const h1 = await client('h1')
  const asked = async () => (await h1.request({ path: '/' })).status
  mood.status = 500
  for (let failure = 0; failure < 2; failure++) t.equal(await asked(), 500)
  t.equal((await become('removed')).status, 200)
  t.equal((await become('active')).status, 200)
  mood.status = 200
  await until(async () => (await asked()) === 200)
  stream.abort()
})
