import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'tap'
import { script } from '../../../services/redis/command.ts'
import { createClient } from '../../../services/redis/client.ts'
import { RedisLink } from '../../../services/redis/link.ts'
import { writeCertificate } from '../../certificate.ts'
import { freePort, linkTo, noRedis, redisOptions, startRedis } from '../../redis-server.ts'

void test('a batch answers in order; what fails is an error in its place', { skip: noRedis }, async (t) => {
  const server = await startRedis(t)
  const link = await linkTo(t, server.url)
  const bytes = Buffer.from([0, 255, 13, 10])
  const [set, wrong, got] = await link.batch([
    ['set', 'a', bytes],
    ['lpush', 'a', 'x'],
    ['get', 'a'],
  ])
  t.equal(String(set), 'OK')
  t.match(wrong, { message: /WRONGTYPE/ })
  t.same(got, bytes)
})

void test('a script is sent where the server does not know it, and what stands around it runs once', {
  skip: noRedis,
}, async (t) => {
  const server = await startRedis(t)
  const link = await linkTo(t, server.url)
  const add = script(`return redis.call('INCRBY', KEYS[1], ARGV[1])`)
  const run = () => link.batch([['incr', 'n'], { script: add, keys: ['m'], args: [5] }, ['incr', 'n']])
  t.same(await run(), [1, 5, 2])
  await server.cli('SCRIPT', 'FLUSH')
  t.same(await run(), [3, 10, 4])
})

void test('away, it fails at once, says why, and connects again by itself', { skip: noRedis }, async (t) => {
  const server = await startRedis(t)
  const link = await linkTo(t, server.url)
  await Promise.all([once(link, 'away'), server.kill()])
  await t.rejects(link.batch([['get', 'a']]), { code: 'HR_REDIS_AWAY' })
  t.match(link.stats(), { state: 'away' })
  await Promise.all([once(link, 'ready'), server.restart()])
  t.match(link.stats(), { state: 'ready', reason: null, waiting: 0 })
  t.same(await link.batch([['get', 'a']]), [null])
})

void test('a replica is left, and not for each refusal', async (t) => {
  const client = createClient(redisOptions('redis://127.0.0.1:1'), 'test')
  const leaves = (client.options as { reconnectOnError?: (error: Error) => unknown }).reconnectOnError
  const refusal = new Error("READONLY You can't write against a read only replica.")
  t.strictSame([leaves?.(new Error('ERR other')), leaves?.(refusal), leaves?.(refusal)], [false, true, false])
})

void test('where the database is refused no other one is used', { skip: noRedis }, async (t) => {
  const server = await startRedis(t, ['--databases', '4'])
  const link = new RedisLink(redisOptions(`${server.url}/4`))
  t.teardown(() => link.close())
  link.subscriber()
  // Twice: of the connection that was made again, too.
  for (let i = 0; i < 2; i++) await once(link, 'away')
  t.match(link.stats(), { state: 'away', reason: 'ERR DB index is out of range' })
  await t.rejects(link.batch([['set', 'a', 'x']]), { code: 'HR_REDIS_AWAY' })
  t.equal(link.subscriber().status === 'ready', false)
  t.equal((await linkTo(t, `${server.url}/3`)).ready, true)
})

void test('sentinels that cannot be reached are told of', { skip: noRedis }, async (t) => {
  const link = new RedisLink(redisOptions(`redis+sentinel://127.0.0.1:${await freePort()}/main`))
  t.teardown(() => link.close())
  await once(link, 'away')
  t.match(link.reason, /sentinels are unreachable/)
})

void test('another connection is opened when one is crowded, up to the bound', { skip: noRedis }, async (t) => {
  const server = await startRedis(t)
  const link = await linkTo(t, server.url, { maxConnections: 3 })
  const batch = () => link.batch(Array.from({ length: 200 }, () => ['get', 'a'] as const))
  await Promise.all([batch(), batch()])
  t.equal(link.stats().connections, 2)
  // Not used before they are ready: what is sent now goes the old way.
  while (link.stats().connections < 2) await batch()
  await Promise.all(Array.from({ length: 20 }, batch))
  t.equal(link.stats().connections, 2, 'one is kept for subscriptions')
  link.subscriber()
  t.equal(link.stats().connections, 3)
})

void test('over TLS, with the authority that the configuration names', { skip: noRedis }, async (t) => {
  const { cert, key } = await writeCertificate(t.testdir())
  const port = await freePort()
  const args = ['--tls-port', String(port), '--tls-cert-file', cert, '--tls-key-file', key, '--tls-auth-clients', 'no']
  const server = await startRedis(t, [...args, '--tls-ca-cert-file', cert])
  const tls = { ca: cert, cert: null, key: null, servername: null, verify: true }
  const link = await linkTo(t, `rediss://localhost:${port}`, { tls })
  await link.batch([['set', 'a', '1']])
  t.equal(await server.cli('GET', 'a'), '1')
  const distrustful = new RedisLink({ ...redisOptions(`rediss://localhost:${port}`) })
  t.teardown(() => distrustful.close())
  await new Promise((resolve) => distrustful.client.once('error', resolve))
  t.match(distrustful.reason, /certificate/)
  t.throws(() => new RedisLink({ ...redisOptions('rediss://h'), tls: { ...tls, ca: '/nowhere.pem' } }), {
    code: 'HR_REDIS_TLS_FILE',
  })
  t.ok(await readFile(cert))
})

void test('through sentinels, to the master', { skip: noRedis }, async (t) => {
  const master = await startRedis(t)
  const file = join(t.testdir(), 'sentinel.conf')
  await writeFile(file, `sentinel monitor main 127.0.0.1 ${master.port} 1\n`)
  const sentinel = await startRedis(t, [], { sentinel: file })
  const link = await linkTo(t, `redis+sentinel://127.0.0.1:${sentinel.port}/main`)
  await link.batch([['set', 'a', '1']])
  t.equal(await master.cli('GET', 'a'), '1')
})
