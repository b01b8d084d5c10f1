import { test, type Test } from 'tap'
import { httpServer } from '../../cli/running.ts'
import { PATIENCE } from '../../helper.ts'
import { noRedis, type RedisServer, startRedis } from '../../redis-server.ts'
import { AUDIENCE, ISSUER, keySetOf, signerOf } from '../../tokens.ts'
import { until } from '../../until.ts'
import { deafTo, type Machine, machine } from './machines.ts'

const [old, fresh] = await Promise.all([signerOf('ES256', 'old'), signerOf('ES256', 'fresh')])
const exp = Math.floor(Date.now() / 1000) + 3_600

/** An issuer, and two gateways that know it, each of which has accepted a token of its old key a moment ago. */
async function twoMachines(t: Test, redis: RedisServer, { hears = true } = {}) {
  const at = { keys: keySetOf(old), reads: 0 }
  const issuer = await httpServer(t, (_request, response) => {
    at.reads++
    response.end(at.keys)
  })
  const config = {
    access: { jwt: { main: { issuer: ISSUER, audience: AUDIENCE, jwks: { url: `${issuer}/jwks` } } } },
    routes: { '/': { answer: { body: 'in' }, access: ['jwt:main'] } },
  }
  const one = await machine(t, { ...config, redis: { url: redis.url } })
  const other = await machine(t, { ...config, redis: { url: hears ? redis.url : await deafTo(redis) } })
  const token = await old.sign({ exp })
  for (const { status } of [one, other]) for (let i = 0; i < 2; i++) t.equal(await status('/', bearer(token)), 200)
  return { at, one, other, token }
}

const bearer = (token: string) => ['Authorization', `Bearer ${token}`] as const
const refuses = (by: Machine, token: string): Promise<void> =>
  until(async () => (await by.status('/', bearer(token))) === 401)

for (const hears of [true, false]) {
  const how = hears ? 'told of it' : 'though every message is lost'
  void test(`a rotated key set that one gateway finds out is in force at the other, ${how}`, {
    skip: noRedis,
    timeout: PATIENCE,
  }, async (t) => {
    const { at, one, other, token } = await twoMachines(t, await startRedis(t), { hears })
    at.keys = keySetOf(fresh)
    const next = await fresh.sign({ exp })
    t.equal(await one.status('/', bearer(next)), 200, 'an unknown key has it look')
    t.equal(await one.status('/', bearer(token)), 401, 'and no verdict outlives what it was judged by')
    await refuses(other, token)
    t.equal(await other.status('/', bearer(next)), 200)
  })
}

void test('a key that an issuer has taken back is refused everywhere once keys are read anew at one gateway', {
  skip: noRedis,
  timeout: PATIENCE,
}, async (t) => {
  const redis = await startRedis(t)
  const { at, one, other, token } = await twoMachines(t, redis)
  at.keys = keySetOf(fresh)
  t.equal(await other.status('/', bearer(token)), 200, 'nobody has said anything yet')
  await one.post('/tokens/refresh')
  t.equal(await one.status('/', bearer(token)), 401, 'when it is answered')
  await refuses(other, token)
})

void test('a storm of unknown keys at both causes one look, and both know what it has found', {
  skip: noRedis,
  timeout: PATIENCE,
}, async (t) => {
  const { at, one, other } = await twoMachines(t, await startRedis(t))
  const before = at.reads
  const storm = await Promise.all(
    Array.from({ length: 40 }, (_, index) => old.sign({ exp }, { kid: `stranger-${index}` })),
  )
  const all = storm.flatMap((token) => [one, other].map(({ status }) => status('/', bearer(token))))
  t.same([...new Set(await Promise.all(all))], [401])
  t.equal(at.reads - before, 1)
})
