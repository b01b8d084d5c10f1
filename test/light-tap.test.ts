import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'

/** What a file of tests tells when tap runs it with `light-tap.ts` before all else. */
const FILE = `
import { test } from 'tap'
const later = () => new Promise((resolve) => setTimeout(resolve, 5))
void test('before', async (t) => t.pass())
void test('outer', async (t) => {
  await t.test('throws', async () => { setImmediate(() => { throw new Error('thrown later') }); await later() })
  t.pass()
})
void test('rejects', async () => { void Promise.reject(new Error('rejected later')); await later() })
void test('after', async (t) => t.same([process.env.NODE_OPTIONS, process.execArgv[0]], [undefined, '--input-type=module'], 'execArgv'))
`

void test('an error that nobody catches fails its file, and says where it comes from', async (t) => {
  const cwd = fileURLToPath(new URL('..', import.meta.url))
  // There are no such files: whatever loads them fails.
  const preloaded = ['mock', 'processinfo'].map((name) => `--import=file:///@tapjs/${name}/dist/esm/import.mjs`)
  const args = [...preloaded, '--enable-source-maps', '--input-type=module', '--eval', FILE]
  const env = { ...process.env, NODE_OPTIONS: '--import=./test/light-tap.ts' }
  const { stdout, status } = spawnSync(process.execPath, args, { cwd, env, encoding: 'utf8' })
  t.not(status, 0)
  t.match(stdout, /^ok \d - before/m)
  t.match(stdout, /^ +not ok \d - thrown later$/m)
  t.match(stdout, /^ +not ok \d - rejected later$/m)
  t.notMatch(stdout, /execArgv/)
})
