import { fileURLToPath } from 'node:url'
import { test } from 'tap'
import { loadConfig } from '../../config/load.ts'
import { serve } from '../../server.ts'

const CONFIG = fileURLToPath(new URL('../../examples/access.config.ts', import.meta.url))
const KEY = 'hr_example0_0123456789abcdefghijklmnopqr'

void test('the example of access lets through whom it says', { timeout: 150_000 }, async (t) => {
  const cwd = t.testdir({})
  const loaded = await loadConfig({
    cwd,
    variables: {},
    file: CONFIG,
    flags: { port: '0', 'admin-port': '0', 'log-level': 'silent' },
  })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  const running = await serve({ ...loaded.config, dataDir: cwd, drainTimeoutMs: 0 })
  t.teardown(() => running.close())
  const url = running.addresses.find(({ kind }) => kind === 'public')?.url
  const status = async (path: string, key?: string): Promise<number> =>
    (await fetch(`${url}${path}`, key === undefined ? {} : { headers: { 'x-api-key': key } })).status
  t.same([await status('/orders'), await status('/orders', KEY), await status('/orders', `${KEY}x`)], [401, 200, 401])
  t.equal(await status('/reports', KEY), 403)
  t.same([await status('/internal'), await status('/public'), await status('/public', KEY)], [200, 200, 200])
})
