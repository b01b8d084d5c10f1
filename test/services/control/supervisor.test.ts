import cluster from 'node:cluster'
import { once } from 'node:events'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { test, type Test } from 'tap'
import { startSupervisor, type Supervisor, type SupervisorOptions } from '../../../services/control/supervisor.ts'
import type { BootData } from './data-plane.ts'

interface Running {
  supervisor: Supervisor
  port: number
  logged: string[]
  /** Resolves with the pid of the next process that is ready. */
  nextReady(): Promise<number>
  get(path: string): Promise<unknown>
}

/** Forks processes of data-plane.ts and waits until they are ready. */
async function run(t: Test, boot: BootData, parts: Partial<SupervisorOptions> = {}): Promise<Running> {
  // Without the test runner's own loaders, which take longer than all the rest.
  cluster.setupPrimary({ execArgv: [] })
  const logged: string[] = []
  const waiting: ((pid: number) => void)[] = []
  const listening = once(cluster, 'listening') as Promise<[unknown, AddressInfo]>
  const supervisor = startSupervisor({
    processes: 2,
    exec: fileURLToPath(new URL('./data-plane.ts', import.meta.url)),
    args: [],
    env: {},
    boot,
    drainTimeoutMs: 30_000,
    restart: { firstMs: 1, longestMs: 1, stableMs: 60_000 },
    log: {
      info: (details, message) => {
        logged.push(message)
        if (message === 'Process ready') waiting.shift()?.((details as { processPid: number }).processPid)
      },
      warn: (_details, message) => void logged.push(message),
      error: (_details, message) => void logged.push(message),
    },
    ...parts,
  })
  t.teardown(() => supervisor.kill())
  await supervisor.ready
  const [, { port }] = await listening
  return {
    supervisor,
    port,
    logged,
    nextReady: () => new Promise((resolve) => waiting.push(resolve)),
    get: async (path) => {
      const sent = request({ port, host: '127.0.0.1', path, agent: false }).end()
      const [response] = await once(sent, 'response')
      return JSON.parse(await text(response))
    },
  }
}

const value = async ({ supervisor }: Running, name: string): Promise<number | undefined> =>
  (await supervisor.control.ask('metrics')).result.find((family) => family.name === name)?.values[0]?.value

void test('all processes share the socket, get the same boot data, and are asked together', async (t) => {
  const running = await run(t, { token: 'one for all' })
  t.strictSame(await running.get('/boot'), { token: 'one for all' })
  t.equal(await value(running, 'processes'), 2)
})

void test('any process answers for all, and commands all', async (t) => {
  const running = await run(t, {}, { processes: 3 })
  const answer = (await running.get('/ask')) as { result: { name: string; values: { value: number }[] }[] }
  t.equal(answer.result.find(({ name }) => name === 'processes')?.values[0]?.value, 3)
  t.strictSame(await running.get('/tell'), { applied: 3, results: [null, null, null] })
  t.equal((await running.supervisor.control.ask('log-level')).result, 'warn')
})

void test('a crashed process is replaced; what was commanded and counted stays', async (t) => {
  const running = await run(t, {})
  for (let i = 0; i < 4; i++) await running.get('/')
  await running.supervisor.control.tell('log-level', { level: 'debug' })
  t.equal(await value(running, 'answered'), 4)

  const replaced = running.nextReady()
  await t.rejects(running.get('/crash'), { code: 'ECONNRESET' })
  const pid = await replaced
  t.ok(Number.isInteger(pid))
  t.ok(running.logged.includes('Process ended; starting another'))
  t.equal(await value(running, 'processes'), 2)
  t.ok((await value(running, 'answered'))! >= 4)

  // The most talkative level is told: were the new one at info and the others gone, it would be seen.
  const [other] = Object.values(cluster.workers ?? {}).filter((worker) => worker?.process.pid !== pid)
  const second = running.nextReady()
  other?.process.kill('SIGKILL')
  await second
  t.equal((await running.supervisor.control.ask('log-level')).result, 'debug')
})

void test('a command reaches processes that start, and none of them serves before it has those of the past', async (t) => {
  const { supervisor, get } = await run(t, {})
  await supervisor.control.tell('log-level', { level: 'debug' })
  await supervisor.roll(() => {})
  t.equal(await get('/began'), 'debug')
  await supervisor.replace({ boot: { tells: 'error' }, processes: 1, drainTimeoutMs: 30_000 })
  t.equal(await get('/began'), 'error')
})

const pids = (): Set<number | undefined> =>
  new Set(Object.values(cluster.workers ?? {}).map((worker) => worker?.process.pid))

/** A request that is answered when its body ends, and has been begun. */
async function begin(port: number): Promise<{ finish(): Promise<string> }> {
  const sent = request({ port, host: '127.0.0.1', method: 'POST', headers: { expect: '100-continue' }, agent: false })
  sent.flushHeaders()
  await once(sent, 'continue')
  return {
    finish: async () => {
      const response = once(sent, 'response')
      sent.end('whole')
      return text((await response)[0])
    },
  }
}

void test('others take over once all are ready; what is in flight is finished, and counts', async (t) => {
  const running = await run(t, { token: 'one' })
  const { supervisor, port, get, logged } = running
  const pending = await begin(port)
  const before = pids()
  await supervisor.replace({ boot: { token: 'two' }, processes: 3, drainTimeoutMs: 30_000 })
  for (let i = 0; i < 8; i++) t.strictSame(await get('/boot'), { token: 'two' })
  t.equal(await value(running, 'answered'), 9)
  t.equal(await pending.finish(), '"done"')
  // Until its pipe is closed too, node:cluster counts a process that has ended.
  while ([...before].some((pid) => pids().has(pid))) {
    await Promise.race([once(cluster, 'disconnect'), once(cluster, 'exit')])
  }
  t.equal(pids().size, 3)
  t.equal(await value(running, 'answered'), 9, 'what the old ones have counted stays')
  t.equal(await value(running, 'processes'), 3)

  const after = pids()
  const reason = { code: 'HR_LISTENER_PORT_IN_USE', message: 'Port 80 is taken.' }
  const failing = { processes: 2, drainTimeoutMs: 30_000 }
  await t.rejects(supervisor.replace({ boot: { reason }, ...failing }), reason)
  const both = [supervisor.replace({ boot: { fail: true }, ...failing }), supervisor.roll(() => {})]
  await t.rejects(both[1]!, { code: 'HR_CONTROL_REPLACING', statusCode: 409 }, 'one at a time')
  await t.rejects(both[0]!, { code: 'HR_CONTROL_BOOT' })
  t.strictSame(await get('/boot'), { token: 'two' })
  t.ok(
    [...after].every((pid) => pids().has(pid)),
    'those that ran before have stayed',
  )
  t.notOk(logged.includes('Process ended; starting another'))
})

void test('a rolling restart replaces one process after another', async (t) => {
  const running = await run(t, { token: 'same' })
  const before = pids()
  const steps: [replaced: number, old: number][] = []
  await running.supervisor.roll((replaced) => {
    steps.push([replaced, [...before].filter((pid) => pids().has(pid)).length])
  })
  t.strictSame(
    steps,
    [
      [1, 2],
      [2, 1],
    ],
    'the first has gone before the second is touched',
  )
  t.notOk([...before].some((pid) => pids().has(pid)))
  t.equal(await value(running, 'processes'), 2)
  t.strictSame(await running.get('/boot'), { token: 'same' })
})

void test('processes that are not ready in time are given up, and closing ends those that start', async (t) => {
  const { supervisor, get } = await run(t, { token: 'one' }, { startTimeoutMs: 1 })
  const replacement = { boot: { token: 'two' }, processes: 2, drainTimeoutMs: 0 }
  await t.rejects(supervisor.replace(replacement), { code: 'HR_CONTROL_START_TIMEOUT', statusCode: 503 })
  t.strictSame(await get('/boot'), { token: 'one' })
  const rejected = t.rejects(supervisor.replace(replacement), { code: 'HR_CONTROL_CLOSED' })
  await Promise.all([rejected, supervisor.close()])
  t.equal(pids().size, 0)
})

void test('a process that hangs is named, and the others answer', async (t) => {
  const running = await run(t, {})
  const [frozen] = Object.values(cluster.workers ?? {})
  frozen?.process.kill('SIGSTOP')
  const { control } = running.supervisor
  const told = t.rejects(control.tell('log-level', { level: 'info' }), {
    code: 'HR_CONTROL_PARTLY_APPLIED',
    message: new RegExp(`pid ${frozen?.process.pid}`),
  })
  const { result, missing } = await control.ask('log-level')
  t.equal(result, 'info')
  t.match(missing, [{ pid: frozen?.process.pid, reason: /No reply to "ask" within 3000 ms/ }])
  await told
  frozen?.process.kill('SIGCONT')
})

void test('close lets requests in flight finish, then no process is left', async (t) => {
  const { supervisor, port, logged } = await run(t, {})
  const pending = await begin(port)
  // Answered only after the drain has begun: one process ends, and the other has the request.
  const gone = once(cluster, 'exit')
  const closed = supervisor.close()
  await gone
  t.equal(await pending.finish(), '"done"')
  await closed
  t.strictSame(Object.keys(cluster.workers ?? {}), [])
  t.notOk(logged.includes('Ended before they had drained'))
})

void test('a process that is not done at the deadline is ended', async (t) => {
  const { supervisor, logged } = await run(t, { neverDrain: true }, { drainTimeoutMs: 0 })
  await supervisor.close()
  t.ok(logged.includes('Ended before they had drained'))
})

void test('kill ends everything at once, a drain under way too', async (t) => {
  const { supervisor } = await run(t, { neverDrain: true })
  const closed = supervisor.close()
  await supervisor.kill()
  await closed
  t.strictSame(Object.keys(cluster.workers ?? {}), [])
})

void test('a process that ends before it was ever ready fails the start', async (t) => {
  const failed = run(t, { fail: true })
  await t.rejects(failed, { code: 'HR_CONTROL_BOOT', message: /ended before it was ready \(code 3\)/ })
})

void test('a process that says why it cannot start fails the start with its words', async (t) => {
  const failed = run(t, { reason: { code: 'HR_LISTENER_PORT_IN_USE', message: 'Port 80 is taken.' } })
  await t.rejects(failed, {
    code: 'HR_LISTENER_PORT_IN_USE',
    message: 'Port 80 is taken.',
    cause: { code: 'HR_CONTROL_BOOT' },
  })
})

void test('close during the start fails `ready` and leaves no process', async (t) => {
  const exec = fileURLToPath(new URL('./data-plane.ts', import.meta.url))
  const log = { info() {}, warn() {}, error() {} }
  const supervisor = startSupervisor({ processes: 2, exec, args: [], env: {}, boot: {}, drainTimeoutMs: 30_000, log })
  await Promise.all([t.rejects(supervisor.ready, { code: 'HR_CONTROL_CLOSED' }), supervisor.close()])
  t.strictSame(Object.keys(cluster.workers ?? {}), [])
})
