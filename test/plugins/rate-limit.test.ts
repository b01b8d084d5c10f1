import Fastify, { type FastifyInstance } from 'fastify'
import { test, type Test } from 'tap'
import rateLimit from '../../plugins/rate-limit.ts'

async function app(t: Test, options = {}): Promise<FastifyInstance> {
  const fastify = Fastify()
  t.teardown(() => fastify.close())
  await fastify.register(async (scope) => {
    await scope.register(rateLimit, options)
    scope.get('/limited', { config: { rateLimit: { max: 2, timeWindow: '1 minute' } } }, async () => 'ok')
    scope.get('/other', { config: { rateLimit: { max: 2, timeWindow: '1 minute' } } }, async () => 'ok')
    scope.get('/free', async () => 'ok')
  })
  fastify.get('/outside', { config: { rateLimit: { max: 1, timeWindow: '1 minute' } } }, async () => 'ok')
  return fastify
}

void test('alone on a bare Fastify, it limits the routes that ask for it, each by itself', async (t) => {
  let now = 1_000
  const fastify = await app(t, { now: () => now })
  const get = async (url: string): Promise<number> => (await fastify.inject(url)).statusCode
  t.strictSame([await get('/limited'), await get('/limited'), await get('/limited')], [200, 200, 429])
  t.strictSame([await get('/other'), await get('/free'), await get('/free')], [200, 200, 200])
  const refused = await fastify.inject('/limited')
  t.equal(refused.headers['retry-after'], '30')
  t.match(refused.json(), { code: 'HR_RATE_LIMITED' })
  now += 30_000
  t.strictSame([await get('/limited'), await get('/limited')], [200, 429], 'one comes back in half the window')
})

void test('nothing changes outside of the scope that it is registered in', async (t) => {
  const fastify = await app(t)
  for (let i = 0; i < 3; i++) t.equal((await fastify.inject('/outside')).statusCode, 200)
})

void test('two at the end of a window and two at the beginning of the next are not both let in', async (t) => {
  let now = 59_999
  const fastify = await app(t, { now: () => now })
  const get = async (): Promise<number> => (await fastify.inject('/limited')).statusCode
  t.strictSame([await get(), await get()], [200, 200])
  now = 60_001
  t.strictSame([await get(), await get()], [429, 429])
})

void test('an IPv6 network is one client, and the allow list is not limited', async (t) => {
  const fastify = await app(t, { allowList: ['192.0.2.1'] })
  const get = async (remoteAddress: string): Promise<number> =>
    (await fastify.inject({ url: '/limited', remoteAddress })).statusCode
  t.strictSame([await get('2001:db8::1'), await get('2001:db8::2'), await get('2001:db8::3')], [200, 200, 429])
  for (let i = 0; i < 4; i++) t.equal(await get('192.0.2.1'), 200)
})

void test('clients are told when to come again, and of the legacy fields by option only', async (t) => {
  const told = async (options = {}): Promise<string[][]> => {
    const fastify = await app(t, options)
    const answers = [
      await fastify.inject('/limited'),
      await fastify.inject('/limited'),
      await fastify.inject('/limited'),
    ]
    return answers.map(({ headers }) => Object.keys(headers).filter((name) => /ratelimit|retry/.test(name)))
  }
  t.strictSame(await told(), [[], [], ['retry-after']])
  const legacy = { 'x-ratelimit-limit': true, 'x-ratelimit-remaining': true, 'x-ratelimit-reset': true }
  const all = Object.keys(legacy)
  t.strictSame(await told({ addHeaders: legacy, addHeadersOnExceeding: legacy }), [all, all, [...all, 'retry-after']])
})
