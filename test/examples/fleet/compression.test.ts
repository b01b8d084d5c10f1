import { fileURLToPath } from 'node:url'
import { type Test, test } from 'tap'
import { loadConfig } from '../../../config/load.ts'
import { makeConsumers } from '../../../examples/fleet/consumers.ts'
import { startFleet } from '../../../examples/fleet/upstream.ts'
import { serve } from '../../../server.ts'
import { type Client, connectClient } from '../../client.ts'
import { decoded } from '../../decode.ts'
import { PATIENCE } from '../../helper.ts'
import { NOW } from './start-api.ts'

const CONFIG = fileURLToPath(new URL('../../../examples/fleet/headrace.config.ts', import.meta.url))
const CODINGS = ['zstd', 'br', 'gzip'] as const

/** A client of the example's gateway, as `npm start` runs it but for the ports. */
async function startExample(t: Test): Promise<Client> {
  const fleet = await startFleet({ now: () => NOW })
  t.teardown(() => fleet.close())
  const dataDir = t.testdir()
  const variables = {
    FLEET_URL: fleet.url,
    FLEET_SECOND_URL: fleet.secondUrl,
    FLEET_CONSUMERS: makeConsumers(dataDir),
    HTTPS_PORT: '0',
    LOG_LEVEL: 'silent',
  }
  const loaded = await loadConfig({ cwd: dataDir, variables, flags: { port: '0' }, file: CONFIG })
  if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join('\n'))
  const running = await serve({ ...loaded.config, dataDir, drainTimeoutMs: 0 })
  t.teardown(() => running.close())
  const { url = '' } = running.addresses.find(({ url }) => url.startsWith('http:')) ?? {}
  return connectClient(t, { cleartext: Number(new URL(url).port), tls: 0 }, 'h1')
}

void test('the JSON of the fleet shrinks by 80 % at least', { timeout: PATIENCE }, async (t) => {
  const client = await startExample(t)
  const paths = ['/api/vehicles?limit=100', '/api/drivers?limit=100', '/api/telematics?limit=100', '/openapi.json']
  for (const coding of CODINGS) {
    const fields = [['Accept-Encoding', coding] as const]
    const bytes = { plain: 0, coded: 0 }
    for (const path of paths) {
      const { body } = await client.request({ path })
      // From the upstream the first time, from the cache the second, where it may be kept.
      for (const response of [await client.request({ path, fields }), await client.request({ path, fields })]) {
        t.equal(response.get('content-encoding'), coding)
        t.equal(decoded(response), body.toString())
        bytes.plain += body.length
        bytes.coded += response.body.length
        const saved = 1 - response.body.length / body.length
        // gzip, at its fastest, gets there on the average alone.
        if (coding !== 'gzip') t.ok(saved >= 0.8, `${path} in ${coding}: ${(saved * 100).toFixed(1)} %`)
      }
    }
    const saved = 1 - bytes.coded / bytes.plain
    t.ok(saved >= 0.8, `all in ${coding}: ${(saved * 100).toFixed(1)} %`)
  }
})

void test('who has read a compressed vehicle may change it', { timeout: PATIENCE }, async (t) => {
  const client = await startExample(t)
  const read = await client.request({ path: '/api/vehicles?limit=20', fields: [['Accept-Encoding', 'gzip']] })
  t.match(read.get('etag'), /^W\/"/)
  const { items } = JSON.parse(decoded(read)) as { items: { id: number }[] }
  const one = await client.request({ path: `/api/vehicles/${items[0]?.id}` })
  const fields = [['If-Match', `W/${one.get('etag')}`] as const, ['Content-Type', 'application/json'] as const]
  const changed = await client.request({
    method: 'PATCH',
    path: `/api/vehicles/${items[0]?.id}`,
    fields,
    body: JSON.stringify({ status: 'workshop' }),
  })
  t.equal(changed.status, 200)
})
