import { type Test, test } from 'tap'
import { RedisRenewals } from '../../../../services/access/oidc/redis-renewals.ts'
import { Seal } from '../../../../services/access/oidc/seal.ts'
import { NOT_KNOWN } from '../../../../services/access/oidc/shared-renewals.ts'
import { linkTo, noRedis, type RedisServer, startRedis } from '../../../redis-server.ts'

/** Longer than any test takes. */
const LONG_MS = 60_000
const SECRET = 'a secret that is 32 characters long'
const KEY = 'test:access:renewed:'

async function machine(t: Test, redis: RedisServer, secret = SECRET): Promise<RedisRenewals> {
  const link = await linkTo(t, redis.url)
  const seal = new Seal([secret], { name: 'staff', now: Date.now })
  return new RedisRenewals({ link, prefix: 'test', seal, now: Date.now })
}

void test('one machine refreshes, and the others get what it gets, before and afterwards', {
  skip: noRedis,
}, async (t) => {
  const redis = await startRedis(t)
  const [one, other] = [await machine(t, redis), await machine(t, redis)]
  for (const [digest, renewed] of [
    ['a', 'cookie'],
    ['b', null],
  ] as const) {
    t.equal(await one.ask(digest, LONG_MS), NOT_KNOWN, 'it is the first')
    const waiting = other.ask(digest, LONG_MS)
    await one.tell(digest, renewed)
    t.equal(await waiting, renewed)
    t.equal(await one.ask(digest, LONG_MS), renewed)
  }
  t.ok(Number(await redis.cli('PTTL', `${KEY}a`)) <= 30_000, 'it ends by itself')
})

void test('who fails leaves it to the next, and of who has ended nobody waits for a word', {
  skip: noRedis,
}, async (t) => {
  const redis = await startRedis(t)
  const [one, other] = [await machine(t, redis), await machine(t, redis)]
  await one.ask('a', LONG_MS)
  const waiting = other.ask('a', LONG_MS)
  await one.tell('a', NOT_KNOWN)
  t.equal(await waiting, NOT_KNOWN, 'it has the turn now')
  t.equal(await one.ask('a', 1), NOT_KNOWN, 'bounded')
  await other.tell('a', 'cookie')
  await one.tell('a', NOT_KNOWN)
  t.equal(await one.ask('a', LONG_MS), 'cookie', 'what another has got meanwhile stays')
})

void test('what is in Redis is no cookie, and nobody without the secret can make it', { skip: noRedis }, async (t) => {
  const redis = await startRedis(t)
  const [one, other] = [await machine(t, redis), await machine(t, redis, 'another secret, of 32 characters too')]
  await one.ask('a', LONG_MS)
  const seal = new Seal([SECRET], { name: 'staff', now: Date.now })
  await one.tell('a', await seal.seal({}, 'session', Date.now() + LONG_MS))
  const kept = (await redis.cli('GET', `${KEY}a`)).trim()
  t.equal(await seal.open(kept, 'session'), undefined)
  t.equal(await other.ask('a', LONG_MS), NOT_KNOWN)
  await redis.cli('SET', `${KEY}b`, kept)
  t.equal(await one.ask('b', LONG_MS), NOT_KNOWN, 'of another session')
  await redis.cli('SET', `${KEY}c`, await seal.seal({ digest: 'c', renewed: 1 }, 'renewal', Date.now() + LONG_MS))
  t.equal(await one.ask('c', LONG_MS), NOT_KNOWN)
})

void test('while Redis stands still, is away or refuses, each refreshes for itself', { skip: noRedis }, async (t) => {
  const redis = await startRedis(t)
  const one = await machine(t, redis)
  await redis.cli('CONFIG', 'SET', 'maxmemory', '1')
  t.equal(await one.ask('a', LONG_MS), NOT_KNOWN, 'it is full')
  await one.tell('a', 'cookie')
  redis.pause()
  t.equal(await one.ask('a', LONG_MS), NOT_KNOWN, 'in the time of a command')
  redis.resume()
  await redis.kill()
  t.equal(await one.ask('a', LONG_MS), NOT_KNOWN)
  await one.tell('a', 'cookie')
})
