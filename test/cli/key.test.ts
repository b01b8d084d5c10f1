import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test, type Test } from 'tap'
import { headrace } from './command-line.ts'
import { runningGateway } from './running.ts'
import { until } from '../until.ts'

function consumersFile(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-key-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'consumers.yaml')
  writeFileSync(file, '# ours\nacme: { tier: gold }\n')
  return file
}

void test('keys are made, replaced and revoked, and the gateway follows', { timeout: 150_000 }, async (t) => {
  const file = consumersFile(t)
  const { cwd, publicUrl } = await runningGateway(t, {
    access: { consumersFile: file },
    routes: { '/*': { answer: { body: 'in' }, access: ['key'] } },
  })
  const status = async (key: string): Promise<number> =>
    (await fetch(`${publicUrl}/`, { headers: { 'x-api-key': key } })).status
  /** In force by itself. */
  const becomes = (key: string, wanted: number): Promise<void> => until(async () => (await status(key)) === wanted)
  const created = await headrace(cwd, ['key', 'create', 'acme', '--note', 'laptop', '--expires', '90d'])
  t.equal(created.code, 0)
  t.match(created.out, /^hr_[0-9a-z]{8}_\w{28}\n$/, 'the key alone, for a pipe')
  const key = created.out.trim()
  const text = readFileSync(file, 'utf8')
  t.notMatch(text, key.slice(-28))
  t.match(text, /# ours[^]*note: laptop/)
  await becomes(key, 200)
  const rotated = (await headrace(cwd, ['key', 'rotate', 'acme', '--grace', '1h'])).out.trim()
  await becomes(rotated, 200)
  t.equal(await status(key), 200, 'both hold for a while')
  const id = key.split('_')[1] as string
  const revoked = await headrace(cwd, ['key', 'revoke', id])
  t.same({ code: revoked.code, err: revoked.err }, { code: 0, err: '' })
  t.match(revoked.out, /refused from now on by the gateway/)
  t.equal(await status(key), 401, 'at once')
  t.equal(await status(rotated), 200)
  t.notMatch(readFileSync(file, 'utf8'), id)
})

void test('without a gateway the file alone is changed, and what is meant otherwise is told', async (t) => {
  const file = consumersFile(t)
  const cwd = t.testdir({})
  const { code, out } = await headrace(cwd, ['key', 'create', 'globex', '--file', file])
  t.equal(code, 0)
  const id = out.split('_')[1] as string
  const revoked = await headrace(cwd, ['key', 'revoke', out.trim(), '--file', file])
  t.equal(revoked.code, 0)
  t.match(revoked.err, /within a second/)
  t.notMatch(readFileSync(file, 'utf8'), id)
  const usage = [
    ['key', 'make', 'acme'],
    ['key', 'create'],
    ['key', 'create', 'a b'],
    ['key', 'revoke', 'x'],
    ['key', 'rotate', 'nobody', '--file', file],
    ['key', 'create', 'acme', '--expires', 'soon', '--file', file],
    ['key', 'create', 'acme', '--expires', '2020-01-01', '--file', file],
    ['key', 'create', 'acme', '--expires', '0s', '--file', file],
    ['key', 'create', 'acme', '--expires', '2199-02-31', '--file', file],
  ]
  t.match((await headrace(cwd, ['key', 'create', 'a b'])).err, "'a b' is no name of a consumer")
  for (const args of usage) t.equal((await headrace(cwd, args)).code, 2, args.join(' '))
  const unreadable = await headrace(cwd, ['key', 'create', 'acme', '--file', dirname(file)])
  t.equal(unreadable.code, 1)
  t.notMatch(unreadable.err, /readFileSync/, 'a file that cannot be read is told in words')
})

void test('a configuration whose consumers have no file yet says how to make it', async (t) => {
  const cwd = t.testdir({ 'headrace.config.json': JSON.stringify({ access: { consumersFile: './who.yaml' } }) })
  const { code, err } = await headrace(cwd, ['key', 'create', 'acme'])
  t.equal(code, 1)
  t.match(err, 'make one with `headrace key create NAME --file ./who.yaml`')
  t.equal((await headrace(cwd, ['key', 'create', 'acme', '--file', './who.yaml'])).code, 0)
  t.equal((await headrace(cwd, ['key', 'create', 'acme'])).code, 0)
})
