import { constants } from 'node:http2'
import { test } from 'tap'
import { startChildUpstream } from '../../child-upstream.ts'
import { type H2Play, startH2Upstream } from '../../h2-upstream.ts'
import { PATIENCE } from '../../helper.ts'
import { type Play, REFUSING_ORIGIN, startUpstream } from '../../upstream-server.ts'
import { type BeforeTargets, beforeTargets } from './before-targets.ts'

const answer: Play = (exchange) => exchange.respond(200, [], 'answer')
const ill: Play = (exchange) => exchange.respond(503, [], 'ill')
const reset: Play = (exchange) => exchange.reset()

const MANY = { balance: 'round-robin', outliers: false }

const code = ({ body }: { body: Buffer }): string => (JSON.parse(String(body)) as { code: string }).code
const retriesOf = ({ api }: BeforeTargets) => api.snapshot().map(({ retries }) => retries)

for (const request of [{}, { method: 'POST', body: 'abc' }, { method: 'PATCH', body: 'abc' }]) {
  void test(`no connection: ${request.method ?? 'GET'} goes to another target`, { timeout: PATIENCE }, async (t) => {
    const good = await startUpstream(t, answer)
    const before = await beforeTargets(t, { to: { targets: [REFUSING_ORIGIN, good.origin], ...MANY } })
    for (let turn = 0; turn < 4; turn++) t.equal((await before.ask(request)).status, 200)
    t.equal(good.requests.length, 4)
    t.strictSame(new Set(good.requests.map(({ body }) => String(body))), new Set([request.body ?? '']))
    t.match(before.api.snapshot(), [
      { outcomes: { connect_error: 2 }, retries: { connect: 2 } },
      { outcomes: { response: 4 } },
    ])
    t.strictSame(
      before.finished.map(({ outcome }) => outcome),
      ['response', 'response', 'response', 'response'],
    )
  })
}

void test('an attempt that begins at once has the time of the request to connect', { timeout: PATIENCE }, async (t) => {
  const good = await startUpstream(t, answer)
  const before = await beforeTargets(t, { to: { targets: [REFUSING_ORIGIN, good.origin], ...MANY } })
  const [refusing, other] = before.api.targets
  const dispatch = other!.pool.dispatch.bind(other!.pool)
  // Looked at between its dispatch and its connection.
  other!.pool.dispatch = (options, handler) => {
    const sent = dispatch(options, handler)
    before.upstreams.deadlines.tick()
    return sent
  }
  t.equal((await before.ask({})).status, 200)
  t.equal(refusing?.outcomes.connect_error, 1)
})

void test('a target that closes as a request takes an idle connection is not asked again', {
  timeout: PATIENCE,
}, async (t) => {
  const good = await startUpstream(t, answer)
  const before = await beforeTargets(t, { to: { targets: [good.origin] } })
  t.equal((await before.ask({})).status, 200)
  const { pool } = before.api.targets[0]!
  const dispatch = pool.dispatch.bind(pool)
  let asked = 0
  pool.dispatch = (options, handler) => {
    asked++
    const sent = dispatch(options, handler)
    if (asked === 1) void pool.destroy()
    return sent
  }
  t.equal((await before.ask({})).status, 502)
  t.equal(asked, 2, 'another connection is asked for once')
  t.equal(good.requests.length, 1)
})

void test('no connection to any target: 502, and none is asked twice', { timeout: PATIENCE }, async (t) => {
  const targets = [REFUSING_ORIGIN, 'http://127.0.0.1:2']
  const before = await beforeTargets(t, { to: { targets, ...MANY } })
  const response = await before.ask({})
  t.equal(response.status, 502)
  t.equal(code(response), 'HR_UPSTREAM_CONNECT')
  t.strictSame(
    before.api.snapshot().map(({ outcomes }) => outcomes.connect_error),
    [1, 1],
  )
  t.strictSame(
    before.api.targets.map(({ inFlight }) => inFlight),
    [0, 0],
  )
})

void test('what no other target is left for goes to a backup, the one of the next priority first', {
  timeout: PATIENCE,
}, async (t) => {
  const backup = await startUpstream(t, answer)
  const sick = await startUpstream(t, ill)
  const targets = [sick.origin, REFUSING_ORIGIN, { url: backup.origin, backup: true }]
  const before = await beforeTargets(t, { to: { targets, ...MANY, retry: { attempts: 3, on: ['connect', 503] } } })
  for (let turn = 0; turn < 2; turn++) t.equal(String((await before.ask({})).body), 'answer')
  t.equal((await before.ask({ method: 'POST', body: 'abc' })).status, 503, 'what was sent is not sent again')
  t.match(before.api.snapshot(), [{ outcomes: { response: 3 } }, {}, { outcomes: { response: 2 } }])
})

void test('by default an answer is an answer, and a reset is told', { timeout: PATIENCE }, async (t) => {
  const one = await startUpstream(t, [ill])
  const two = await startUpstream(t, [reset])
  const { ask } = await beforeTargets(t, { to: { targets: [one.origin, two.origin], ...MANY } })
  t.equal(String((await ask({})).body), 'ill')
  t.equal(code(await ask({})), 'HR_UPSTREAM_RESET')
})

for (const [name, play, reason] of [
  ['a status', ill, 'status'],
  ['a reset', reset, 'reset'],
  [
    'a status with a body that is not worth reading',
    (exchange) => exchange.respond(502, [], 'x'.repeat(200_000)),
    'status',
  ],
  [
    'a status with a body that does not end',
    async (exchange) => {
      await exchange.send('HTTP/1.1 503 No\r\nContent-Length: 9\r\n\r\nx')
      await exchange.stall()
    },
    'status',
  ],
] as [string, Play, 'status' | 'reset'][]) {
  void test(`${name} is tried again on another target where it is asked for`, { timeout: PATIENCE }, async (t) => {
    const bad = await startUpstream(t, [play])
    const good = await startUpstream(t, [answer])
    const before = await beforeTargets(t, { to: { targets: [bad.origin, good.origin], ...MANY, retry: {} } })
    const response = await before.ask({})
    t.equal(response.status, 200)
    t.equal(String(response.body), 'answer')
    t.equal(retriesOf(before)[0]?.[reason], 1)
    t.strictSame(
      before.api.targets.map(({ inFlight }) => inFlight),
      [0, 0],
    )
    t.strictSame(
      bad.requests[0]?.fields,
      good.requests[0]?.fields.map(([field, value]) =>
        field === 'host' ? ['host', new URL(bad.origin).host] : [field, value],
      ),
    )
  })
}

void test('over HTTP/2: no connection, a status, a stream that is reset, each at another target', {
  timeout: PATIENCE,
}, async (t) => {
  const plays: H2Play[] = [
    ({ stream }) => {
      stream.respond({ ':status': 503 })
      stream.end('ill')
    },
    ({ stream }) => stream.close(constants.NGHTTP2_INTERNAL_ERROR),
  ]
  const bad = await startH2Upstream(t, (exchange) => plays.shift()?.(exchange))
  const good = await startH2Upstream(t, ({ stream }) => {
    stream.respond({ ':status': 200 })
    stream.pipe(stream)
  })
  const before = await beforeTargets(t, {
    to: {
      targets: ['https://127.0.0.1:1', bad.origin, good.origin],
      ...MANY,
      http2: true,
      tls: { verify: false },
      retry: { backoff: '1ms' },
    },
  })
  const posted = await before.ask({ method: 'POST', body: 'abc' })
  t.strictSame([posted.status, String(posted.body)], [503, 'ill'], 'no connection, then an answer to what was sent')
  for (let turn = 0; turn < 3; turn++) t.equal((await before.ask({})).status, 200)
  t.match(retriesOf(before), [{ connect: 2 }, { reset: 1 }])
  t.equal(bad.sessions.length, 1, 'its connection is still good')
})

void test('a connection whose answer was replaced is used again', { timeout: PATIENCE }, async (t) => {
  const upstream = await startUpstream(t, [ill, answer])
  const { ask } = await beforeTargets(t, { to: { targets: [upstream.origin], retry: { backoff: '1ms' } } })
  t.equal((await ask({})).status, 200)
  t.equal(upstream.connections.length, 1)
})

for (const request of [
  { method: 'POST' },
  { method: 'POST', body: 'abc' },
  { method: 'PUT', body: 'abc' },
  { method: 'DELETE', body: 'abc' },
]) {
  void test(`what was sent is not sent twice: ${JSON.stringify(request)}`, { timeout: PATIENCE }, async (t) => {
    const one = await startUpstream(t, [ill])
    const two = await startUpstream(t, [reset])
    const { ask } = await beforeTargets(t, { to: { targets: [one.origin, two.origin], ...MANY, retry: {} } })
    t.equal(String((await ask(request)).body), 'ill')
    t.equal(code(await ask(request)), 'HR_UPSTREAM_RESET')
    t.strictSame([one.requests.length, two.requests.length], [1, 1])
  })
}

void test('the last attempt’s answer is the client’s, whatever it is', { timeout: PATIENCE }, async (t) => {
  const upstream = await startUpstream(t, [ill, ill, (exchange) => exchange.respond(503, [], 'third')])
  const to = { targets: [upstream.origin], retry: { attempts: 3, backoff: '1ms' } }
  const { ask } = await beforeTargets(t, { to })
  const response = await ask({})
  t.strictSame([response.status, String(response.body)], [503, 'third'])
})

void test('a route has its own: other statuses, none, and its own time', { timeout: PATIENCE }, async (t) => {
  const upstream = await startUpstream(t, [ill, (exchange) => exchange.stall(), ill])
  const to = { targets: [upstream.origin], retry: {} }
  const none = await beforeTargets(t, { to, route: { retry: false, timeout: { firstByte: '100ms' } } })
  t.equal(String((await none.ask({})).body), 'ill')
  t.equal(code(await none.ask({})), 'HR_UPSTREAM_FIRST_BYTE_TIMEOUT')
  const other = await beforeTargets(t, { to, route: { retry: { on: [504] } } })
  t.equal(String((await other.ask({})).body), 'ill')
})

void test('a stopped target’s requests are answered by another, each within its own time', {
  timeout: PATIENCE,
}, async (t) => {
  const child = await startChildUpstream(t)
  const good = await startUpstream(t, answer)
  const before = await beforeTargets(t, {
    to: { targets: [child.origin, good.origin], ...MANY, retry: {}, timeout: { firstByte: '1s' } },
  })
  child.stop()
  const statuses = await Promise.all(Array.from({ length: 6 }, async () => (await before.ask({})).status))
  t.ok(
    statuses.every((status) => status === 200),
    statuses.join(),
  )
  t.match(retriesOf(before)[0], { timeout: 3 })
})

void test('a killed target’s requests in flight are answered by another', { timeout: PATIENCE }, async (t) => {
  const child = await startChildUpstream(t)
  const good = await startUpstream(t, answer)
  const before = await beforeTargets(t, { to: { targets: [child.origin, good.origin], ...MANY, retry: {} } })
  await before.ask({})
  child.stop()
  const asked = Promise.all(Array.from({ length: 4 }, () => before.ask({})))
  await good.completed(2)
  await child.kill()
  t.strictSame(
    (await asked).map(({ status }) => status),
    [200, 200, 200, 200],
  )
})

void test('retries end with the time of the request', { timeout: PATIENCE }, async (t) => {
  const upstream = await startUpstream(t, (exchange) => exchange.stall())
  const before = await beforeTargets(t, {
    to: {
      targets: [upstream.origin],
      retry: { attempts: 10, backoff: '1ms' },
      timeout: { firstByte: '500ms', total: '1300ms' },
    },
  })
  const response = await before.ask({})
  t.match(code(response), /^HR_UPSTREAM_(TOTAL|FIRST_BYTE)_TIMEOUT$/)
  t.ok(upstream.requests.length >= 2 && upstream.requests.length <= 3, String(upstream.requests.length))
})

void test('an outage is not multiplied: the budget ends, and is told', { timeout: PATIENCE }, async (t) => {
  const upstream = await startUpstream(t, ill)
  const before = await beforeTargets(t, {
    to: {
      targets: [upstream.origin],
      retry: { backoff: '1ms' },
      retryBudget: { ratio: 0.2, perSecond: 0 },
    },
  })
  for (let request = 0; request < 20; request++) t.equal((await before.ask({})).status, 503)
  t.equal(upstream.requests.length, 24, 'a fifth more')
  t.equal(before.api.snapshot()[0]?.retriesDenied, 20, 'once a request')
})

void test('a target that asks to be left alone is', { timeout: PATIENCE }, async (t) => {
  const resting: Play = (exchange) => exchange.respond(503, [['Retry-After', '30']], 'later')
  const one = await startUpstream(t, [resting])
  const two = await startUpstream(t, [answer])
  const pair = await beforeTargets(t, { to: { targets: [one.origin, two.origin], ...MANY, retry: {} } })
  t.equal((await pair.ask({})).status, 200)
  const alone = await startUpstream(t, [resting])
  const { ask } = await beforeTargets(t, { to: { targets: [alone.origin], retry: { backoff: '1ms' } } })
  const response = await ask({})
  t.strictSame([response.status, response.get('retry-after'), String(response.body)], [503, '30', 'later'])
})

void test('a client that leaves while a retry waits ends it', { timeout: PATIENCE }, async (t) => {
  const upstream = await startUpstream(t, [ill])
  const before = await beforeTargets(t, { to: { targets: [upstream.origin], retry: { backoff: '5s' } } })
  const leaving = await before.open({ path: '/' })
  await upstream.completed(1)
  while (before.api.snapshot()[0]?.outcomes.response !== 1) await new Promise((resolve) => setImmediate(resolve))
  leaving.abort()
  await before.over(1)
  t.equal(before.finished[0]?.outcome, 'client_abort')
  t.equal(before.api.targets[0]?.inFlight, 0)
})

void test('a full target’s requests go to another', { timeout: PATIENCE }, async (t) => {
  const busy = await startUpstream(t, (exchange) => exchange.stall())
  const good = await startUpstream(t, answer)
  const before = await beforeTargets(t, {
    to: { targets: [busy.origin, good.origin], connections: 1, queue: 0, balance: { hash: 'path' } },
  })
  const paths = Array.from({ length: 12 }, (_, index) => `/${index}`)
  const [first] = paths.filter(
    (path) =>
      before.api.pick({ fields: { kept: [], cookie: undefined }, path, clientAddress: '', identity: undefined })
        ?.url === busy.origin,
  )
  const stuck = await before.open({ path: first! })
  await busy.received(1)
  t.equal((await before.ask({ path: first! })).status, 200)
  stuck.abort()
})
