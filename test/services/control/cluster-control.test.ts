import { test } from 'tap'
import { ClusterControl, type Member } from '../../../services/control/cluster-control.ts'
import { LocalControl } from '../../../services/control/local.ts'
import type { MetricFamily } from '../../../services/monitor/families.ts'

const requests = (value: number): MetricFamily[] => [
  { name: 'headrace_requests_total', type: 'counter', help: 'h', aggregator: 'sum', values: [{ labels: {}, value }] },
  { name: 'open', type: 'gauge', help: 'h', aggregator: 'sum', values: [{ labels: {}, value: 1 }] },
]

/** A data-plane process, called as over IPC. */
function member(process: number, local: LocalControl, id = process): Member {
  return {
    process,
    id,
    pid: 1000 + id,
    call: async (name, args) => {
      const [what, own] = args as ['metrics' & 'log-level', []]
      return name === 'ask' ? local.part(what, ...own) : local.apply(what, own)
    },
  }
}

function counting(value: number): LocalControl {
  const local = new LocalControl()
  local.answer({ metrics: () => requests(value) })
  return local
}

const total = async (control: ClusterControl): Promise<number | undefined> =>
  (await control.ask('metrics')).result[0]?.values[0]?.value

void test('the answers of all processes are merged by the rule of the query', async (t) => {
  const members = [member(1, counting(3)), member(2, counting(4))]
  const control = new ClusterControl({ members: () => members, deadlineMs: 1000 })
  const { result, missing } = await control.ask('metrics')
  t.strictSame(
    result.map(({ name, values }) => [name, values[0]?.value]),
    [
      ['headrace_requests_total', 7],
      ['open', 2],
    ],
  )
  t.strictSame(missing, [])
})

void test('processes that do not answer are named with the reason', async (t) => {
  const failing = { ...member(2, counting(1)), call: () => Promise.reject(new Error('No reply within 3000 ms.')) }
  const members = [{ ...member(3, counting(1)), pid: null, call: null }, failing, member(1, counting(5))]
  const control = new ClusterControl({ members: () => members, deadlineMs: 1000 })
  const { result, missing } = await control.ask('metrics')
  t.equal(result[0]?.values[0]?.value, 5)
  t.strictSame(missing, [
    { process: 2, pid: 1002, reason: 'No reply within 3000 ms.' },
    { process: 3, pid: null, reason: 'it is not running' },
  ])
})

void test('a query that nobody answers is an error that names everybody', async (t) => {
  const control = new ClusterControl({
    members: () => [{ ...member(1, counting(1)), call: null }],
    deadlineMs: 1000,
  })
  await t.rejects(control.ask('metrics'), {
    code: 'HR_CONTROL_NO_ANSWER',
    statusCode: 503,
    message: /process 1, pid 1001: it is not running/,
  })
})

void test('a command answers once every process has applied it', async (t) => {
  const levels: string[] = []
  const local = new LocalControl()
  local.obey({ 'log-level': ({ level }) => void levels.push(level) })
  const members = [member(1, local), member(2, local)]
  const control = new ClusterControl({ members: () => members, deadlineMs: 1000 })
  t.strictSame(await control.tell('log-level', { level: 'debug' }), { applied: 2, results: [undefined, undefined] })
  t.strictSame(levels, ['debug', 'debug'])
})

void test('a command that some process has not applied is an error that names it', async (t) => {
  const levels: string[] = []
  const local = new LocalControl()
  local.obey({ 'log-level': ({ level }) => void levels.push(level) })
  const members = [member(1, local), member(2, new LocalControl())]
  const control = new ClusterControl({ members: () => members, deadlineMs: 1000 })
  await t.rejects(control.tell('log-level', { level: 'debug' }), {
    code: 'HR_CONTROL_PARTLY_APPLIED',
    statusCode: 503,
    message: /process 2, pid 1002: .*does not answer "log-level"/,
  })
  t.strictSame(levels, ['debug'], 'the others have applied it')
})

void test('a process that joins later takes over the last lasting command', async (t) => {
  const control = new ClusterControl({ members: () => [], deadlineMs: 1000 })
  await control.tell('log-level', { level: 'debug' })
  await control.tell('log-level', { level: 'warn' })
  const levels: string[] = []
  const local = new LocalControl()
  local.obey({ 'log-level': ({ level }) => void levels.push(level) })
  await control.joined(member(1, local))
  t.strictSame(levels, ['warn'])
})

void test('of commands that set different things, a process that joins later gets the last for each', async (t) => {
  const control = new ClusterControl({ members: () => [], deadlineMs: 1000 })
  const change = (url: string, weight: number) => ({ upstream: 'api', change: { url, as: 'present' as const, weight } })
  for (const told of [change('http://a', 1), change('http://b', 1), change('http://a', 2)]) {
    await control.tell('upstream-target', told)
  }
  const got: unknown[] = []
  const local = new LocalControl()
  local.obey({ 'upstream-target': (args) => void got.push(args) })
  await control.joined(member(1, local))
  t.strictSame(got, [change('http://a', 2), change('http://b', 1)])
})

void test('a process that joins later hears of all that was revoked meanwhile, by processes and by operators', async (t) => {
  const control = new ClusterControl({ members: () => [], deadlineMs: 1000 })
  const entry = (name: string) => ({ kind: 'session' as const, name, at: 1, until: Number.MAX_SAFE_INTEGER })
  await control.tell('revoke', { from: 11, list: [entry('a')] })
  await control.tell('revoke', { from: 12, list: [entry('b'), entry('c')] })
  await control.tell('revoke', { from: null, list: [entry('d')] })
  await control.tell('revoke', { from: null, list: [entry('e')] })
  const got = new Map<boolean, string>()
  const local = new LocalControl()
  local.obey({ revoke: ({ from, list }) => void got.set(from === null, list.map(({ name }) => name).join()) })
  await control.joined(member(1, local))
  t.strictSame(Object.fromEntries(got), { false: 'a,b,c', true: 'd,e' })
})

void test('a process that joins and cannot obey one of the commands obeys the others', async (t) => {
  const control = new ClusterControl({ members: () => [], deadlineMs: 1000 })
  await control.tell('revoke', { from: null, list: [] })
  await control.tell('maintenance', { route: '/a', enabled: true })
  const closed: (string | null)[] = []
  const local = new LocalControl()
  local.obey({
    revoke: () => {
      throw new Error('the disk is full')
    },
    maintenance: ({ route }) => void closed.push(route),
  })
  await t.rejects(control.joined(member(1, local)), { message: 'the disk is full' })
  t.strictSame(closed, ['/a'])
})

void test('what is kept of revocations for processes that join later is bounded', async (t) => {
  const control = new ClusterControl({ members: () => [], deadlineMs: 1000 })
  const list = Array.from({ length: 10_000 }, (_, index) => ({
    kind: 'session' as const,
    name: String(index),
    at: 1,
    until: Number.MAX_SAFE_INTEGER,
  }))
  await control.tell('revoke', { from: 11, list })
  await control.tell('revoke', { from: 11, list: list.slice(0, 1) })
  let got: string[] = []
  const local = new LocalControl()
  local.obey({ revoke: ({ list: told }) => void (got = told.map(({ name }) => name)) })
  await control.joined(member(1, local))
  t.strictSame([got.length, got[0], got.at(-1)], [10_000, '1', '0'])
})

void test('what holds no longer is not passed on', async (t) => {
  const control = new ClusterControl({ members: () => [], deadlineMs: 1000 })
  await control.tell('log-level', { level: 'debug' })
  await control.tell('admin-address', { url: 'http://a' })
  const told: unknown[] = []
  const local = new LocalControl()
  local.obey({ 'log-level': (args) => void told.push(args), 'admin-address': (args) => void told.push(args) })
  const isLevel = (command: string, [args]: readonly unknown[]): boolean =>
    command === 'log-level' && (args as { level: string }).level === 'debug'
  await control.joined(member(1, local), isLevel)
  t.strictSame(told, [{ url: 'http://a' }])
  await control.joined(member(1, local))
  t.equal(told.length, 3, 'those that are tried may fail')
  control.forget(isLevel)
  await control.joined(member(1, local))
  t.equal(told.length, 4)
})

void test('counters never fall when a process crashes, is late, or is replaced; gauges do', async (t) => {
  const steady = member(1, counting(10))
  let members: Member[] = [steady, member(2, counting(5))]
  const control = new ClusterControl({ members: () => members, deadlineMs: 1000 })
  t.equal(await total(control), 15)

  members = [steady, { ...member(2, counting(0)), call: () => Promise.reject(new Error('late')) }]
  t.equal(await total(control), 15, 'late: its last known count')

  members = [steady, { ...member(2, counting(0)), id: 3, call: null }]
  const { result } = await control.ask('metrics')
  t.equal(result[0]?.values[0]?.value, 15, 'gone: its last known count is kept')
  t.equal(result[1]?.values[0]?.value, 1, 'but nothing is open there any more')

  members = [steady, member(2, counting(1), 3)]
  t.equal(await total(control), 16, 'replaced: the new one counts on top')
  members = [steady, member(2, counting(2), 4)]
  t.equal(await total(control), 18, 'and once more')
})

void test('a command acts here too, where the asking process says how, and counts members only', async (t) => {
  const levels: string[] = []
  const local = new LocalControl()
  local.obey({ 'log-level': ({ level }) => void levels.push(`member: ${level}`) })
  const own = new LocalControl()
  own.obey({ 'log-level': ({ level }) => void levels.push(`here: ${level}`) })
  const control = new ClusterControl({ members: () => [member(1, local)], deadlineMs: 1000, own })
  t.strictSame(await control.tell('log-level', { level: 'warn' }), { applied: 1, results: [undefined] })
  t.strictSame(levels, ['here: warn', 'member: warn'])
})

void test('what is central is asked of this process alone, and what it counts itself is added', async (t) => {
  const own = counting(100)
  own.obey({ restart: () => {} })
  const control = new ClusterControl({ members: () => [], deadlineMs: 1000, own })
  t.strictSame(await control.tell('restart'), { applied: 1, results: [undefined] }, 'no process is needed for it')
  const members = [member(1, counting(3))]
  t.equal(await total(new ClusterControl({ members: () => members, deadlineMs: 1000, own })), 103)
  await t.rejects(new ClusterControl({ members: () => members, deadlineMs: 1000 }).tell('restart'), {
    code: 'HR_CONTROL_UNSUPPORTED',
  })
})

void test('a process on its way out obeys, and what it has counted to its end stays counted', async (t) => {
  const levels: string[] = []
  let counted = 5
  const old = new LocalControl()
  old.answer({ metrics: () => requests(counted), 'log-level': () => 'trace' })
  old.obey({ 'log-level': ({ level }) => void levels.push(level) })
  const local = counting(1)
  local.answer({ 'log-level': () => 'info' })
  local.obey({ 'log-level': ({ level }) => void levels.push(level) })
  let leaving = [member(0, old, 7)]
  const control = new ClusterControl({ members: () => [member(1, local, 8)], leaving: () => leaving, deadlineMs: 1000 })
  t.equal(await total(control), 6)
  t.equal((await control.ask('log-level')).result, 'info', 'it is no part of the gateway any more')
  t.equal((await control.tell('log-level', { level: 'warn' })).applied, 1)
  t.strictSame(levels, ['warn', 'warn'])

  counted = 9
  control.farewell(7, [['metrics', requests(counted)]])
  leaving = []
  t.equal(await total(control), 10, 'also what it counted after it was asked for the last time')
  t.equal(await total(control), 10, 'once')
})
