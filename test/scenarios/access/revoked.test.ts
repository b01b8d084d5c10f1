import Fastify from 'fastify'
import { test } from 'tap'
import { gateway } from '../../../gateway.ts'
import { PATIENCE } from '../../helper.ts'
import { noRedis, startRedis } from '../../redis-server.ts'
import { keyFor } from '../../services/access/given.ts'
import { AUDIENCE, ISSUER, signerOf } from '../../tokens.ts'
import { until } from '../../until.ts'
import { deafTo, folderOf, machine } from './machines.ts'

const signer = await signerOf('ES256', 'es')
const exp = Math.floor(Date.now() / 1000) + 3_600
const bearer = (token: string) => ['Authorization', `Bearer ${token}`] as const
const key = (text: string) => ['X-API-Key', text] as const

const consumers = (...keys: { entry: { id: string; hash: string } }[]) => ({
  acme: { keys: keys.map(({ entry }) => entry) },
})
const ROUTES = {
  '/keys': { answer: { body: 'in' }, access: ['key'] },
  '/tokens': { answer: { body: 'in' }, access: ['jwt:main'] },
}
const JWT = { main: { issuer: ISSUER, audience: AUDIENCE, jwks: { keys: [signer.jwk] } } }

for (const hears of [true, false]) {
  const how = hears ? 'hears of it' : 'finds it, though every message was lost'
  void test(`what one gateway revokes the other refuses: it ${how}`, {
    skip: noRedis,
    timeout: PATIENCE,
  }, async (t) => {
    const redis = await startRedis(t)
    const [taken, kept] = [keyFor(), keyFor()]
    const config = { access: { consumers: consumers(taken, kept), jwt: JWT }, routes: ROUTES }
    const one = await machine(t, { ...config, redis: { url: redis.url } })
    const other = await machine(t, { ...config, redis: { url: hears ? redis.url : await deafTo(redis) } })
    const [ada, bob] = await Promise.all([signer.sign({ exp, jti: 'a' }), signer.sign({ exp, jti: 'b', sub: 'bob' })])
    for (const { status } of [one, other]) {
      for (const { key: text } of [taken, kept]) t.equal(await status('/keys', key(text)), 200)
      for (const token of [ada, bob]) t.equal(await status('/tokens', bearer(token)), 200)
    }
    await one.post('/consumers/revoke', { key: taken.id })
    await one.post('/tokens/revoke', { kind: 'token', name: 'a' })
    t.equal(await one.status('/keys', key(taken.key)), 401, 'at once where it was said')
    t.equal(await one.status('/tokens', bearer(ada)), 401)
    await until(async () => (await other.status('/keys', key(taken.key))) === 401)
    await until(async () => (await other.status('/tokens', bearer(ada))) === 401)
    for (const { status } of [one, other]) {
      t.equal(await status('/keys', key(kept.key)), 200, 'and nothing else is')
      t.equal(await status('/tokens', bearer(bob)), 200)
    }
    const third = await machine(t, { ...config, redis: { url: redis.url } })
    await until(async () => (await third.status('/keys', key(taken.key))) === 401)
    t.pass('one that starts later knows it as well')
  })
}

void test('an application with the gateway inside refuses it, too', { skip: noRedis, timeout: PATIENCE }, async (t) => {
  const redis = await startRedis(t)
  const taken = keyFor()
  const access = { consumers: consumers(taken) }
  const routes = { '/keys': ROUTES['/keys'] }
  const one = await machine(t, { access, routes, redis: { url: redis.url } })
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(gateway, { access, routes, redis: { url: redis.url }, dataDir: folderOf(t) })
  const status = async (): Promise<number> =>
    (await app.inject({ url: '/keys', headers: { 'x-api-key': taken.key } })).statusCode
  t.equal(await status(), 200)
  await one.post('/consumers/revoke', { key: taken.id })
  await until(async () => (await status()) === 401)
})

void test('a key stays revoked over a restart, though the configuration still has it', {
  timeout: PATIENCE,
}, async (t) => {
  const taken = keyFor()
  const config = { access: { consumers: consumers(taken) }, routes: { '/keys': ROUTES['/keys'] }, dataDir: folderOf(t) }
  const first = await machine(t, config)
  t.equal(await first.status('/keys', key(taken.key)), 200)
  await first.post('/consumers/revoke', { key: taken.id })
  await first.gateway.close()
  const second = await machine(t, config)
  t.equal(await second.status('/keys', key(taken.key)), 401)
})
