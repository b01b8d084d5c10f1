import { setImmediate } from 'node:timers/promises'
import { test } from 'tap'
import { SteadyClock } from '../../../services/limit/clock.ts'
import { type Decision, emptyDecision, type Limiter } from '../../../services/limit/decision.ts'
import { Errands } from '../../../services/limit/errands.ts'
import { ExactLimiter, requestOf, type SharedLimit } from '../../../services/limit/exact-limiter.ts'
import { paceOf } from '../../../services/limit/gcra.ts'
import { LeasedLimiter } from '../../../services/limit/leased-limiter.ts'
import { type LedgerLog, RedisLedger } from '../../../services/limit/redis-ledger.ts'
import { PATIENCE } from '../../helper.ts'
import { noRedis, redisOptions, slowPath, startCluster, startRedis } from '../../redis-server.ts'
import type { Test } from 'tap'
import { until } from '../../until.ts'

const QUIET: LedgerLog = { info: () => undefined, warn: () => undefined }

/** Like a process of a machine of its own: with a way to Redis that it shares with nobody. */
async function member(t: Test, url: string, log = QUIET): Promise<{ ledger: RedisLedger; errands: Errands }> {
  const ledger = new RedisLedger(redisOptions(url), log)
  t.teardown(() => ledger.close())
  await until(() => ledger.ready)
  return { ledger, errands: new Errands(ledger) }
}

const limitOf = (count: number, windowMs: number): SharedLimit => ({
  id: 'api',
  pace: paceOf({ count, windowMs }, count),
  clock: new SteadyClock(),
  period: null,
  maxKeys: 1_000,
})

async function taken(limiter: Limiter, key = 'ada', cost = 1): Promise<Decision> {
  const into = emptyDecision()
  return (await limiter.take(key, cost, into)) ?? into
}

/** How many of so many pass at once. */
async function passing(limiter: Limiter, many: number): Promise<number> {
  const decisions = await Promise.all(Array.from({ length: many }, () => taken(limiter)))
  return decisions.filter(({ allowed }) => allowed).length
}

void test('two machines share a limit in Redis, leased: no more than 5 % above it pass, whatever the load', {
  skip: noRedis,
  timeout: PATIENCE,
}, async (t) => {
  const redis = await startRedis(t)
  const limit = limitOf(400, 2_000)
  // On a busy machine Redis may be late, and then a process decides alone.
  let decidedAlone = 0
  const alone = (): void => void decidedAlone++
  const start = performance.now()
  const members = [await member(t, redis.url), await member(t, redis.url)]
  const limiters = members.map(({ errands }) => new LeasedLimiter(limit, { errands, alone }))
  let passed = 0
  // Twice the burst and more, in rounds, so that leases are used up, renewed and refused.
  for (let round = 0; round < 60; round++) {
    const parts = await Promise.all(limiters.map((limiter, i) => passing(limiter, (round * 7 + i * 3) % 13)))
    passed += parts.reduce((sum, part) => sum + part, 0)
  }
  const allowed = 400 + ((performance.now() - start) * 400) / 2_000
  t.ok(passed <= 1.05 * allowed + decidedAlone, `${passed} of ${Math.floor(allowed)}, ${decidedAlone} alone`)
  t.ok(passed >= 400 * 0.9, `${passed} passed`)
  await Promise.all(limiters.map((limiter) => limiter.close()))
})

void test('exact: two machines let pass what there is, to the last unit', {
  skip: noRedis,
  timeout: PATIENCE,
}, async (t) => {
  const redis = await startRedis(t)
  const limit = limitOf(100, 3_600_000)
  const members = [await member(t, redis.url), await member(t, redis.url)]
  let alone = 0
  const limiters = members.map(({ errands }) => new ExactLimiter(limit, { errands, alone: () => void alone++ }))
  const [a, b] = limiters as [ExactLimiter, ExactLimiter]
  let passed = 0
  for (let i = 0; i < 15; i++) passed += (await passing(a, 5)) + (await passing(b, 5))
  const next = await taken(a)
  // On a busy machine Redis may be late, and then a process decides alone.
  if (alone > 0) t.comment(`${alone} decisions were made without Redis`)
  else t.match({ passed, next }, { passed: 100, next: { allowed: false, left: 0 } })
  t.match(await redis.cli('KEYS', '*{[^m]*'), /^test:limit:\{[\w-]{27}\}$/, 'nothing of the key is to be seen')
  const ttl = Number(await redis.cli('PTTL', (await redis.cli('KEYS', '*{[^m]*')).split('\n')[0] ?? ''))
  t.ok(ttl > 0, 'what is not used any more ends by itself')
})

void test('a key from a clock that was ahead keeps nobody out for longer than a bucket takes to fill', {
  skip: noRedis,
  timeout: PATIENCE,
}, async (t) => {
  const redis = await startRedis(t)
  const { ledger } = await member(t, redis.url)
  const request = { ...requestOf(limitOf(10, 60_000), 'ada', { used: 0, need: 1, want: 1 }), limit: 'api' }
  t.match(await ledger.settle([request]), [{ granted: 1 }])
  await redis.cli('SET', await redis.cli('KEYS', '*{[^m]*'), '9e15')
  const [loan] = await ledger.settle([request])
  t.match(loan, { granted: 0 })
  t.ok((loan?.wait ?? 0) <= 2 * 60_000, `${loan?.wait} ms`)
})

void test('while Redis is away limits hold in each process, and are shared again when it is back', {
  skip: noRedis,
  timeout: PATIENCE,
}, async (t) => {
  const redis = await startRedis(t)
  let alone = 0
  const { ledger, errands } = await member(t, redis.url)
  const limiter = new LeasedLimiter(limitOf(10, 3_600_000), { errands, alone: () => void alone++ })
  t.match(await taken(limiter), { allowed: true })
  await redis.kill()
  await until(() => !ledger.ready)
  let passed = 0
  for (let i = 0; i < 20; i++) if ((await taken(limiter)).allowed) passed++
  t.ok(passed <= 10 && passed >= 9, `${passed} passed`)
  t.ok(alone >= 10)
  await redis.restart()
  await until(() => ledger.ready)
  // Redis has forgotten the one that it was told; what was let pass without it, it is told first.
  let more = 0
  while ((await taken(limiter)).allowed) more++
  t.ok(more <= 1, `${more} more passed`)
  await limiter.close()
})

void test('a Redis that does not answer makes nobody wait for more than its 50 ms, and the next ones not at all', {
  skip: noRedis,
  timeout: PATIENCE,
}, async (t) => {
  const redis = await startRedis(t)
  const path = await slowPath(t, redis.port)
  const { errands } = await member(t, path.url)
  const limit = limitOf(100, 3_600_000)
  let alone = 0
  const limiter = new ExactLimiter(limit, { errands, alone: () => void alone++ })
  t.match(await taken(limiter), { allowed: true })
  path.delay(5_000)
  t.match(await taken(limiter), { allowed: true })
  t.ok(alone >= 1)
  // A timer of 50 ms may be over a little before 50 ms are, by the clock that tells how long the question has been out.
  await until(() => !errands.usable)
  const before = alone
  const into = emptyDecision()
  t.equal(limiter.take('ada', 1, into), undefined, 'decided at once')
  t.equal(alone, before + 1)
})

void test('in a cluster every key finds its node', { skip: noRedis, timeout: PATIENCE }, async (t) => {
  const servers = await startCluster(t)
  const url = `redis+cluster://${servers.map(({ port }) => `127.0.0.1:${port}`).join(',')}`
  const { errands } = await member(t, url)
  const limiter = new ExactLimiter(limitOf(1, 3_600_000), { errands, alone: () => t.comment('decided without Redis') })
  const keys = Array.from({ length: 20 }, (_, i) => `key ${i}`)
  const passed = await Promise.all(keys.map(async (key) => (await taken(limiter, key)).allowed))
  t.ok(passed.every(Boolean))
  const again = await Promise.all(keys.map(async (key) => (await taken(limiter, key)).allowed))
  t.notOk(again.some(Boolean))
})

void test('a Redis that is there and refuses is told of once, and each process keeps to the limit', {
  skip: noRedis,
  timeout: PATIENCE,
}, async (t) => {
  const redis = await startRedis(t)
  const said: string[] = []
  const log: LedgerLog = {
    info: (_, message) => void said.push(message),
    warn: (details, message) => void said.push(`${message}: ${String((details as { reason?: unknown }).reason)}`),
  }
  const { ledger, errands } = await member(t, redis.url, log)
  // Then a process may use some of what it knows nothing of while it asks.
  await until(() => ledger.members === 1)
  const limiter = new LeasedLimiter(limitOf(200, 3_600_000), { errands, alone: () => undefined })
  await redis.cli('CONFIG', 'SET', 'maxmemory', '1')
  const decisions: Promise<Decision>[] = []
  // So that some come while others are being told of.
  for (let i = 0; i < 600; i++) {
    decisions.push(taken(limiter))
    await setImmediate()
  }
  const passed = (await Promise.all(decisions)).filter(({ allowed }) => allowed).length
  t.equal(passed, 200)
  t.match(ledger.reason, /OOM/)
  await redis.cli('CONFIG', 'SET', 'maxmemory', '0')
  t.match(await taken(limiter), { allowed: false })
  t.match(said, [/^rate limits go on without Redis, in each process: OOM /, 'rate limits are shared again'])
  t.equal(said.length, 2)
  t.equal(ledger.reason, null)
  await limiter.close()
})

void test('a Redis that lends and refuses to count the processes is told of once', {
  skip: noRedis,
  timeout: PATIENCE,
}, async (t) => {
  const redis = await startRedis(t)
  const said: string[] = []
  const log: LedgerLog = {
    info: (_, message) => void said.push(message),
    warn: (_, message) => void said.push(message),
  }
  const { ledger } = await member(t, redis.url, log)
  await until(() => ledger.members === 1)
  await redis.cli('ACL', 'SETUSER', 'default', '-@sortedset')
  await until(() => ledger.reason !== null)
  const request = requestOf(limitOf(10, 60_000), 'ada', { used: 0, need: 1, want: 1 })
  t.match(await ledger.settle([request]), [{ granted: 1 }])
  t.strictSame(said, ['rate limits go on without Redis, in each process'])
  await redis.cli('ACL', 'SETUSER', 'default', '+@sortedset')
  await until(() => ledger.reason === null)
  t.strictSame(said.slice(1), ['rate limits are shared again'])
})
