import { test, type Test } from 'tap'
import { resolveConfig } from '../../../config/resolve.ts'
import { PATIENCE } from '../../helper.ts'
import { until } from '../../until.ts'
import { type Play, startUpstream, type Upstream } from '../../upstream-server.ts'
import { type BeforeTargets, beforeTargets } from './before-targets.ts'

const answer: Play = (exchange) => exchange.respond(200, [], 'answer')

const code = ({ body }: { body: Buffer }): string => (JSON.parse(String(body)) as { code: string }).code

/** The first target answers when it is let, the second at once. */
async function slowAndQuick(t: Test, hedge: object) {
  let answerNow: () => void = () => undefined
  const slow = await startUpstream(t, async (exchange) => {
    await new Promise<void>((resolve) => (answerNow = resolve))
    await exchange.respond(200, [], 'slow')
  })
  const quick = await startUpstream(t, (exchange) => exchange.respond(200, [], 'quick'))
  const to = { targets: [slow.origin, quick.origin], outliers: false, hedge, balance: 'round-robin' }
  const before = await beforeTargets(t, { to })
  return { slow, quick, before, answerNow: () => answerNow() }
}

void test('a slow target’s request is asked of another too, and the slow one is called off', {
  timeout: PATIENCE,
}, async (t) => {
  const { slow, quick, before } = await slowAndQuick(t, { after: '50ms' })
  const response = await before.ask({})
  t.equal(String(response.body), 'quick')
  await slow.closed(0)
  t.equal(quick.requests.length, 1)
  t.match(before.finished, [{ status: 200, outcome: 'response' }])
  t.match(before.api.snapshot(), [
    { outcomes: { superseded: 1 }, retries: { hedge: 1 } },
    { outcomes: { response: 1 } },
  ])
  t.strictSame(
    before.api.targets.map(({ inFlight }) => inFlight),
    [0, 0],
  )
  t.notMatch(
    quick.requests[0]?.fields.filter(([name]) => name === 'via'),
    { length: 2 },
  )
})

void test('what answers in time is asked once', { timeout: PATIENCE }, async (t) => {
  const { slow, quick, before, answerNow } = await slowAndQuick(t, { after: '5s' })
  const asked = before.ask({})
  await slow.received(1)
  answerNow()
  t.equal(String((await asked).body), 'slow')
  t.equal(quick.requests.length, 0)
})

void test('what may not be repeated is asked once, however late', { timeout: PATIENCE }, async (t) => {
  const { slow, quick, before } = await slowAndQuick(t, { after: '10ms' })
  const posted = await before.open({ method: 'POST', path: '/', body: 'abc' })
  await slow.completed(1)
  // By then the POST has waited longer than this one, which is asked of the other as well.
  before.api.change({ url: quick.origin, as: 'draining', weight: null })
  const asked = before.ask({})
  await slow.completed(2)
  before.api.change({ url: quick.origin, as: 'present', weight: null })
  t.equal(String((await asked).body), 'quick')
  posted.abort()
  await before.over(2)
  t.strictSame(
    quick.requests.map(({ method }) => method),
    ['GET'],
  )
})

void test('hedges are within the budget', { timeout: PATIENCE }, async (t) => {
  const slow = await startUpstream(t, (exchange) => exchange.stall())
  const quick = await startUpstream(t, answer)
  const before = await beforeTargets(t, {
    to: {
      targets: [slow.origin, { url: quick.origin, weight: 0.01 }],
      balance: 'round-robin',
      outliers: false,
      hedge: { after: '20ms' },
      retryBudget: { ratio: 0.25, perSecond: 0 },
      timeout: { firstByte: '1500ms' },
    },
  })
  const statuses = await Promise.all(Array.from({ length: 8 }, async () => (await before.ask({})).status))
  t.strictSame(
    statuses.toSorted((a, b) => a - b),
    [200, 200, 504, 504, 504, 504, 504, 504],
  )
})

void test('where every attempt fails, the client is told the first failure', { timeout: PATIENCE }, async (t) => {
  const one = await startUpstream(t, async (exchange) => {
    await two.received(1)
    exchange.reset()
  })
  const two = await startUpstream(t, (exchange) => exchange.stall())
  const before = await beforeTargets(t, {
    to: {
      targets: [one.origin, two.origin],
      balance: 'round-robin',
      hedge: { after: '20ms' },
    },
  })
  t.equal(code(await before.ask({})), 'HR_UPSTREAM_RESET')
  t.equal(two.requests.length, 1)
  await two.closed(0)
  t.equal(before.finished.length, 1)
})

void test('a client that leaves ends every attempt', { timeout: PATIENCE }, async (t) => {
  const one = await startUpstream(t, (exchange) => exchange.stall())
  const two = await startUpstream(t, (exchange) => exchange.stall())
  const before = await beforeTargets(t, { to: { targets: [one.origin, two.origin], hedge: { after: '20ms' } } })
  const leaving = await before.open({ path: '/' })
  await Promise.all([one.received(1), two.received(1)])
  leaving.abort()
  await Promise.all([one.closed(0), two.closed(0), before.over(1)])
  t.match(before.finished, [{ status: 499, outcome: 'client_abort' }])
  t.strictSame(
    before.api.targets.map(({ inFlight }) => inFlight),
    [0, 0],
  )
})

interface SlowAndIll extends BeforeTargets {
  ill: Upstream
}

/**
 * A target that plays once the other, which is only asked as well, has given `ill`.
 *
 * @param known how many of the ill one's answers are over before the slow one goes on
 */
async function slowAndIll(
  t: Test,
  { slow: play, ill: illPlay, to }: { slow: Play; ill: Play; to?: Record<string, unknown> },
): Promise<SlowAndIll> {
  const ill = await startUpstream(t, illPlay)
  const slow = await startUpstream(t, async (exchange) => {
    await illAnswered()
    await play(exchange)
  })
  const before = await beforeTargets(t, {
    to: {
      targets: [slow.origin, { url: ill.origin, weight: 0.01 }],
      balance: 'round-robin',
      outliers: false,
      hedge: { after: '10ms' },
      ...to,
    },
  })
  const illAnswered = (): Promise<void> =>
    until(() => before.api.targets[1]?.outcomes.response === slow.requests.length)
  return { ...before, ill }
}

const ill: Play = (exchange) => exchange.respond(503, [['X-Ill', 'yes']], 'ill')

for (const [name, retry, play] of [
  ['a failure status, without retries', false, ill],
  ['a failure status, with retries', {}, ill],
  ['a status that is retried', { on: [500] }, (exchange) => exchange.respond(500, [], 'ill')],
  ['a failure status over a long body', {}, (exchange) => exchange.respond(503, [], 'x'.repeat(60_000))],
] as [string, unknown, Play][]) {
  void test(`${name}, from the target that is only asked as well, is no answer while the other goes on`, {
    timeout: PATIENCE,
  }, async (t) => {
    const before = await slowAndIll(t, { slow: answer, ill: play, to: { retry } })
    for (let turn = 0; turn < 5; turn++) {
      const { status, body } = await before.ask({})
      t.strictSame([status, String(body)], [200, 'answer'])
    }
    t.equal(before.ill.requests.length, 5)
    t.match(before.api.snapshot()[1], { outcomes: { response: 5, superseded: 0 } })
    t.strictSame(
      before.finished.map(({ status, outcome }) => [status, outcome]),
      Array.from({ length: 5 }, () => [200, 'response']),
    )
  })
}

for (const [name, slow, expected] of [
  ['that is no failure wins over one that is', (exchange) => exchange.respond(500, [], 'mine'), [500, 'mine']],
  ['of both that fails is given', (exchange) => exchange.respond(502, [], 'mine'), [502, 'mine']],
  ['of one that fails is given where the other has none', (exchange) => exchange.reset(), [503, 'ill']],
] as [string, Play, [number, string]][]) {
  void test(`an answer ${name}`, { timeout: PATIENCE }, async (t) => {
    const { ask, finished, api } = await slowAndIll(t, { slow, ill })
    const response = await ask({})
    t.strictSame([response.status, String(response.body)], expected)
    t.equal(response.get('x-ill'), expected[1] === 'ill' ? 'yes' : undefined)
    t.match(finished, [{ status: expected[0], outcome: 'response' }])
    t.strictSame(
      api.targets.map(({ inFlight }) => inFlight),
      [0, 0],
    )
  })
}

/** The ill target sends a part, the slow one then plays, and only after that comes the rest. */
async function heldHalfway(t: Test, play: Play, { part, rest }: { part: string; rest: Play }) {
  const over = Promise.withResolvers<void>()
  const half = Promise.withResolvers<void>()
  const one = await startUpstream(t, async (exchange) => {
    await half.promise
    await play(exchange)
    over.resolve()
  })
  const two = await startUpstream(t, async (exchange) => {
    await exchange.send(part)
    half.resolve()
    await over.promise
    await rest(exchange)
  })
  const to = { targets: [one.origin, two.origin], balance: 'round-robin', outliers: false, hedge: { after: '10ms' } }
  return { one, two, before: await beforeTargets(t, { to }) }
}

void test('a failing answer that has begun is given to its end once the other has failed', {
  timeout: PATIENCE,
}, async (t) => {
  const long = 'x'.repeat(300_000)
  const { before } = await heldHalfway(t, (exchange) => exchange.reset(), {
    part: `HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nha\r\n`,
    rest: async (exchange) => {
      await exchange.chunk(long)
      await exchange.send('0\r\n\r\n')
    },
  })
  const { status, body } = await before.ask({})
  t.strictSame([status, String(body)], [503, `ha${long}`])
  t.match(before.finished, [{ status: 503, outcome: 'response' }])
})

void test('a failing answer that is more than is kept waits at its upstream, and no client is blamed', {
  timeout: PATIENCE,
}, async (t) => {
  const long = 'x'.repeat(2_000_000)
  const one = await startUpstream(t, async (exchange) => {
    await until(() => before.api.targets[1]?.pool.stats.running === 1)
    // Much longer than a client may take nothing.
    const end = performance.now() + 100
    await until(() => performance.now() > end)
    exchange.reset()
  })
  const two = await startUpstream(t, (exchange) => exchange.respond(503, [], long))
  const { limits } = resolveConfig({ limits: { sendTimeout: '10ms' } }, { root: '/' })
  const to = { targets: [one.origin, two.origin], balance: 'round-robin', outliers: false, hedge: { after: '10ms' } }
  const before = await beforeTargets(t, { to, parts: { limits } })
  const { status, body } = await before.ask({})
  t.strictSame([status, body.length], [503, long.length])
})

void test('a failing answer that breaks off while it waits is none', { timeout: PATIENCE }, async (t) => {
  const two = await startUpstream(t, async (exchange) => {
    await exchange.send('HTTP/1.1 503 No\r\nContent-Length: 9\r\n\r\nhalf')
    exchange.fin()
  })
  const one = await startUpstream(t, async (exchange) => {
    await until(() => before.api.targets[1]?.inFlight === 0 && two.requests.length === 1)
    await exchange.respond(200, [], 'answer')
  })
  const to = { targets: [one.origin, two.origin], balance: 'round-robin', outliers: false, hedge: { after: '10ms' } }
  const before = await beforeTargets(t, { to })
  t.equal(String((await before.ask({})).body), 'answer')
})

void test('a client that leaves while a failing answer waits has left', { timeout: PATIENCE }, async (t) => {
  const two = await startUpstream(t, ill)
  const one = await startUpstream(t, (exchange) => exchange.stall())
  const to = { targets: [one.origin, two.origin], balance: 'round-robin', outliers: false, hedge: { after: '10ms' } }
  const before = await beforeTargets(t, { to })
  const leaving = await before.open({ path: '/' })
  await until(() => before.api.targets[1]?.outcomes.response === 1)
  leaving.abort()
  await Promise.all([one.closed(0), before.over(1)])
  t.match(before.finished, [{ status: 499, outcome: 'client_abort' }])
})
