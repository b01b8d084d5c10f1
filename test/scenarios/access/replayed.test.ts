import { test, type Test } from 'tap'
import { gatewayBefore, PATIENCE } from '../../helper.ts'
import { noRedis, type RedisServer, startRedis } from '../../redis-server.ts'
import { signatureFields } from '../../services/access/signing.ts'
import { folderOf } from './machines.ts'

const secret = 'a secret that is long enough'

/** A gateway like one on a machine of its own. */
async function machine(t: Test, redis: RedisServer, hmac: object = {}) {
  const { gateway } = await gatewayBefore(t, (exchange) => exchange.respond(200, [], 'in'), {
    route: { access: ['hmac'] },
    config: {
      dataDir: folderOf(t),
      redis: { url: redis.url },
      access: { consumers: { acme: { secrets: [{ id: 'acme-1', secret }] } }, hmac },
    },
  })
  const client = await gateway.client('h1')
  return async (fields: [string, string][]): Promise<{ status: number; code: string | undefined }> => {
    const { status, body } = await client.request({ path: '/', fields })
    const code = status === 200 ? undefined : (JSON.parse(body.toString()) as { code: string }).code
    return { status, code }
  }
}

/** Fields of a request to any of them: what is signed is the same. */
let made = 0
const signed = () =>
  signatureFields({ keyid: 'acme-1', secret, authority: 'gateway.test', path: '/', nonce: String(made++) })
const ACCEPTED = { status: 200, code: undefined }
const REPLAYED = { status: 401, code: 'HR_ACCESS_REPLAYED' }

void test('a signed request that one machine has accepted is refused by the other', {
  skip: noRedis,
  timeout: PATIENCE,
}, async (t) => {
  const redis = await startRedis(t)
  const [one, other] = [await machine(t, redis), await machine(t, redis)]
  // On a busy machine Redis may not answer in time; each decides by itself then.
  const shared = async (): Promise<boolean> => {
    const request = signed()
    t.same(await one(request), ACCEPTED)
    const again = await other(request)
    t.same(await other(request), REPLAYED, 'by itself, at least')
    return again.code === REPLAYED.code
  }
  while (!(await shared()));
  t.pass('as a rule at once')
})

void test('where it is not wanted, or Redis does not answer, each machine remembers for itself', {
  skip: noRedis,
  timeout: PATIENCE,
}, async (t) => {
  const redis = await startRedis(t)
  const [one, other, alone] = [
    await machine(t, redis),
    await machine(t, redis),
    await machine(t, redis, { shared: false }),
  ]
  const apart = signed()
  for (const ask of [alone, one]) t.same(await ask(apart), ACCEPTED)
  redis.pause()
  t.teardown(() => redis.resume())
  const request = signed()
  for (const ask of [one, other, alone]) t.same(await ask(request), ACCEPTED)
  for (const ask of [one, other, alone]) t.same(await ask(request), REPLAYED)
})
