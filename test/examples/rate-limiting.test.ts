import { fileURLToPath } from 'node:url'
import { test } from 'tap'
import { loadConfig } from '../../config/load.ts'
import { serve } from '../../server.ts'
import { connectClient } from '../client.ts'
import { PATIENCE } from '../helper.ts'

const CONFIG = fileURLToPath(new URL('../../examples/rate-limiting.config.ts', import.meta.url))

void test('the example limits searches, and load tools not', { timeout: PATIENCE }, async (t) => {
  const variables = { LOG_LEVEL: 'silent' }
  const loaded = await loadConfig({ cwd: t.testdir(), variables, flags: { port: '0' }, file: CONFIG })
  if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join('\n'))
  const running = await serve({ ...loaded.config, admin: null, dataDir: t.testdir(), drainTimeoutMs: 0 })
  t.teardown(() => running.close())
  const port = Number(new URL(running.addresses[0]?.url ?? '').port)
  const client = await connectClient(t, { cleartext: port, tls: 0 }, 'h1')
  const first = await client.request({ path: '/search' })
  t.equal(first.get('ratelimit'), '"clients";r=5;t=1')
  t.equal(first.get('ratelimit-policy'), '"clients";q=2;w=1;headrace-burst=10')
  const statuses = new Set<number>()
  for (let i = 0; i < 20; i++) statuses.add((await client.request({ path: '/unlimited' })).status)
  t.strictSame([...statuses], [200])
})
