import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { Journal } from '../../../../services/access/revoked/journal.ts'
import { NO_MACHINES } from '../../../../services/access/machines.ts'
import { Revocations } from '../../../../services/access/revoked/revocations.ts'
import { type Revocation, Revoked } from '../../../../services/access/revoked/revoked.ts'

const NOW = 1_000_000_000
const entry = (kind: Revocation['kind'], name: string, more: Partial<Revocation> = {}): Revocation => ({
  kind,
  name,
  at: NOW,
  until: NOW + 60_000,
  ...more,
})

void test('a token is refused by its name, and a subject in all that it had until then', async (t) => {
  const clock = { now: NOW }
  const revoked = new Revoked({ now: () => clock.now })
  let told = 0
  revoked.onChange(() => told++)
  revoked.add([entry('token', 'a'), entry('subject', 'ada'), entry('subject', 'https://id.test/|bob')])
  t.equal(told, 1)
  const second = NOW / 1000
  t.equal(revoked.holdsToken({ jti: 'a' }), true)
  t.equal(revoked.holdsToken({ jti: 'b' }), false)
  t.equal(revoked.holdsToken({ sub: 'ada', iat: second - 1 }), true)
  t.equal(revoked.holdsToken({ sub: 'ada', iat: second }), true, 'of the same second')
  t.equal(revoked.holdsToken({ sub: 'ada', iat: second + 1 }), false)
  t.equal(revoked.holdsToken({ sub: 'ada' }), true, 'that does not say when it was made')
  t.equal(revoked.holdsToken({ sub: 'bob', iss: 'https://id.test/', iat: 1 }), true)
  t.equal(revoked.holdsToken({ sub: 'bob', iss: 'https://other.test/', iat: 1 }), false)
  t.equal(revoked.holdsSession({ id: 's', claims: { sub: 'ada' }, startedAt: NOW - 1 }), true)
  t.equal(revoked.holdsSession({ id: 's', claims: { sub: 'ada' }, startedAt: NOW + 1 }), false)
  t.equal(revoked.holdsKey('a'), false, 'a key is no token of its name')
  revoked.add([entry('session', 's'), entry('key', 'k')])
  t.equal(revoked.holdsKey('k'), true)
  t.equal(revoked.holdsSession({ id: 's', claims: { sub: 'ada' }, startedAt: NOW + 1 }), true)
  clock.now += 60_000
  t.equal(revoked.holdsToken({ jti: 'a' }), false, 'it has expired by itself')
})

void test('the same once more tells nobody; nonsense is left out', async (t) => {
  const revoked = new Revoked({ now: () => NOW })
  let told = 0
  revoked.onChange(() => told++)
  t.equal(revoked.add([entry('token', 'a')]).length, 1)
  t.equal(revoked.add([entry('token', 'a')]).length, 0)
  const nonsense = [null, {}, entry('none' as never, 'a'), entry('token', ''), entry('token', 'x'.repeat(513))]
  t.equal(revoked.add([...nonsense, entry('token', 'b', { until: Number.NaN })] as never[]).length, 0)
  t.equal(revoked.add([entry('token', 'c', { until: NOW })]).length, 0)
  t.equal(told, 1)
})

void test('it is bounded: what ends first goes first, and that is counted', async (t) => {
  const revoked = new Revoked({ now: () => NOW, most: 100 })
  revoked.add(Array.from({ length: 101 }, (_, index) => entry('token', `${index}`, { until: NOW + 1_000 + index })))
  t.equal(revoked.size, 91)
  t.equal(revoked.lost, 10)
  t.equal(revoked.has('token', '9'), false)
  t.equal(revoked.has('token', '100'), true)
})

void test('the journal keeps them over restarts, for their owner only, and survives a torn line', async (t) => {
  const folder = join(t.testdir(), 'data')
  const clock = { now: NOW }
  const journal = new Journal(folder, () => clock.now)
  t.same(journal.read(), [])
  const list = [entry('token', 'a'), entry('subject', 'ada', { until: NOW + 120_000 })]
  journal.append(list)
  appendFileSync(join(folder, 'revoked.ndjson'), 'nonsense\n{"kind":"tok')
  t.same(new Journal(folder, () => clock.now).read(), list)
  t.equal(statSync(join(folder, 'revoked.ndjson')).mode & 0o777, 0o600)
  clock.now += 60_000
  t.same(journal.read(), [list[1]])
})

void test('a large journal is written anew without what has ended', async (t) => {
  const folder = t.testdir()
  const file = join(folder, 'revoked.ndjson')
  const line = `${JSON.stringify(entry('token', 'x'.repeat(500), { until: 1 }))}\n`
  writeFileSync(file, line.repeat(2_000) + JSON.stringify(entry('token', 'a')))
  t.same(new Journal(folder, () => NOW).read(), [entry('token', 'a')])
  t.equal(readFileSync(file, 'utf8'), `${JSON.stringify(entry('token', 'a'))}\n`)
})

void test('a journal that cannot be written says so', async (t) => {
  const folder = join(t.testdir({ taken: 'a file' }), 'taken')
  const journal = new Journal(folder, () => NOW)
  t.throws(() => journal.append([entry('token', 'a')]), { code: 'HR_ACCESS_JOURNAL' })
})

void test('a process that is told again what it has read in the journal does not write it once more', async (t) => {
  const dataDir = t.testdir()
  const log = { info: () => {}, error: () => {} }
  const made = () =>
    new Revocations({ machines: NO_MACHINES, dataDir, used: true, log, now: () => NOW, previous: null })
  made().told([entry('token', 'a')], true)
  const joining = made()
  joining.told([entry('token', 'a'), entry('token', 'b')], true)
  t.same(new Journal(dataDir, () => NOW).read(), [entry('token', 'a'), entry('token', 'b')])
})
