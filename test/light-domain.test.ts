import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'

/** What a file of tests tells when tap runs it with `light-domain.ts` before it. */
const FILE = `
import { test } from 'tap'
const later = () => new Promise((resolve) => setTimeout(resolve, 5))
void test('before', async (t) => t.pass())
void test('outer', async (t) => {
  await t.test('throws', async () => { setImmediate(() => { throw new Error('thrown later') }); await later() })
  t.pass()
})
void test('rejects', async () => { void Promise.reject(new Error('rejected later')); await later() })
void test('after', async (t) => t.notOk(process.execArgv.join().includes('light-domain'), 'execArgv'))
`

void test('an error that nobody catches fails its file, and says where it comes from', async (t) => {
  const cwd = fileURLToPath(new URL('..', import.meta.url))
  const args = ['--import=./test/light-domain.ts', '--input-type=module', '--eval', FILE]
  const { NODE_OPTIONS: _, ...env } = process.env
  const { stdout, status } = spawnSync(process.execPath, args, { cwd, env, encoding: 'utf8' })
  t.not(status, 0)
  t.match(stdout, /^ok \d - before/m)
  t.match(stdout, /^ +not ok \d - thrown later$/m)
  t.match(stdout, /^ +not ok \d - rejected later$/m)
  t.notMatch(stdout, /execArgv/)
})
