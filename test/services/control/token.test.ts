import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import {
  newToken,
  readAdminAddress,
  readToken,
  removeAdminAddress,
  resolveToken,
  writeAdminAddress,
} from '../../../services/control/token.ts'

const mode = (file: string): number => statSync(file).mode & 0o777

void test('a configured token is used as it is and never written', async (t) => {
  const dataDir = join(t.testdir(), '.headrace')
  t.strictSame(resolveToken('from-the-file', dataDir), { token: 'from-the-file', generated: false })
  t.notOk(existsSync(dataDir))
})

void test('an empty token is generated once, for its owner only, and found again', async (t) => {
  const dataDir = join(t.testdir(), '.headrace')
  t.equal(readToken(dataDir), null)
  const first = resolveToken('', dataDir)
  t.match(first, { token: /^[\w-]{43}$/, generated: true })
  t.equal(mode(dataDir), 0o700)
  t.equal(mode(join(dataDir, 'admin-token')), 0o600)
  t.strictSame(resolveToken('', dataDir), first)
  t.equal(readToken(dataDir), first.token)
})

void test('a token file that others could read is closed to them', async (t) => {
  const dataDir = t.testdir({ 'admin-token': 'restored\n' })
  chmodSync(join(dataDir, 'admin-token'), 0o644)
  t.equal(resolveToken('', dataDir).token, 'restored')
  t.equal(mode(join(dataDir, 'admin-token')), 0o600)
})

void test('an empty token file is filled, not taken for an empty token', async (t) => {
  const dataDir = t.testdir({ 'admin-token': '\n' })
  chmodSync(join(dataDir, 'admin-token'), 0o644)
  t.match(resolveToken('', dataDir).token, /^[\w-]{43}$/)
  t.equal(mode(join(dataDir, 'admin-token')), 0o600)
})

void test('a data directory that cannot be used is named', async (t) => {
  const file = join(t.testdir({ taken: 'a file' }), 'taken')
  t.throws(() => resolveToken('', file), { code: 'HR_CONTROL_DATA_DIR', message: new RegExp(`${file}.*dataDir`) })
  t.throws(() => writeAdminAddress(file, 'http://127.0.0.1:1'), { code: 'HR_CONTROL_DATA_DIR' })
  const blocked = t.testdir()
  mkdirSync(join(blocked, 'admin-token'))
  t.throws(() => readToken(blocked), { code: 'HR_CONTROL_DATA_DIR', message: /admin-token \(it is no file\)/ })
})

void test('the admin address is left for the command line and taken away at the end', async (t) => {
  const dataDir = join(t.testdir(), '.headrace')
  t.equal(readAdminAddress(dataDir), null)
  writeAdminAddress(dataDir, 'http://127.0.0.1:9090')
  t.equal(readAdminAddress(dataDir), 'http://127.0.0.1:9090')
  t.equal(mode(join(dataDir, 'admin-address')), 0o600)
  removeAdminAddress(dataDir, 'http://127.0.0.1:9090')
  t.equal(readAdminAddress(dataDir), null)
})

void test('the address of a later gateway stays', async (t) => {
  const dataDir = join(t.testdir(), '.headrace')
  writeAdminAddress(dataDir, 'http://127.0.0.1:9090')
  writeFileSync(join(dataDir, 'admin-address'), 'http://127.0.0.1:9091\n')
  removeAdminAddress(dataDir, 'http://127.0.0.1:9090')
  t.equal(readFileSync(join(dataDir, 'admin-address'), 'utf8'), 'http://127.0.0.1:9091\n')
})

void test('a generated token never looks like an option of a command line', async (t) => {
  const drawn = [0xf8, 0xfb, 0x00].map((first) => Buffer.alloc(32).fill(first, 0, 1))
  t.strictSame(
    drawn.slice(0, 2).map((bytes) => bytes.toString('base64url')[0]),
    ['-', '-'],
  )
  t.equal(
    newToken(() => drawn.shift() as Buffer),
    'A'.repeat(43),
  )
})
