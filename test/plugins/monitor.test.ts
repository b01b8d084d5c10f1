import Fastify, { type FastifyInstance } from 'fastify'
import { test, type Test } from 'tap'
import monitor, { type MonitorOptions } from '../../plugins/monitor.ts'
import { LocalControl } from '../../services/control/local.ts'
import { targetSnapshot } from '../target-snapshot.ts'

async function monitored(t: Test, parts: Partial<MonitorOptions> = {}): Promise<LocalControl> {
  const fastify = Fastify()
  t.teardown(() => fastify.close())
  const local = new LocalControl()
  await fastify.register(monitor, {
    local,
    version: '1.2.3',
    upstreams: { snapshot: () => [targetSnapshot()], probe: async () => {} },
    draining: () => false,
    loggers: [],
    ...parts,
  })
  return local
}

void test('health is told of this process, within what V8 and the machine can have', async (t) => {
  const { result } = await (await monitored(t)).ask('health')
  t.match(result, { status: 'healthy', version: '1.2.3', reasons: [], missing: [] })
  const [own] = result.processes
  t.equal(own?.pid, process.pid)
  t.ok(own!.memory.heapUsedBytes > 0 && own!.memory.heapUsedBytes < own!.memory.heapLimitBytes)
  t.ok(own!.memory.limitBytes === null || own!.memory.limitBytes < result.system.totalMemoryBytes)
  t.ok(own!.eventLoop.utilization >= 0 && own!.eventLoop.utilization <= 1)
})

void test('the delay of the start is not told: the first sample is skipped', async (t) => {
  const second = secondTimers(t)
  const local = await monitored(t)
  const delay = async (): Promise<unknown> => (await local.ask('health')).result.processes[0]?.eventLoop.delayMs
  t.equal(await delay(), null)
  await loopFor(150)
  second()
  t.equal(await delay(), null)
  await loopFor(150)
  second()
  t.ok(Number(await delay()) > 0)
})

/** Takes the timers of a second out of time's hands. @returns lets one pass: each fires, in the order of their making */
function secondTimers(t: Test): () => void {
  const { setTimeout } = globalThis
  const fired: (() => void)[] = []
  const timer = { unref: () => timer, refresh: () => timer }
  globalThis.setTimeout = ((callback: () => void, ms: number) =>
    ms === 1000 ? (fired.push(callback), timer) : setTimeout(callback, ms)) as typeof setTimeout
  t.teardown(() => void (globalThis.setTimeout = setTimeout))
  return () => {
    for (const fire of fired) fire()
  }
}

/** Holds the event loop for so long, then lets what measures it see that. */
async function loopFor(milliseconds: number): Promise<void> {
  for (let turn = 0; turn < 2; turn++) {
    const end = performance.now() + milliseconds
    while (performance.now() < end);
    await new Promise((resolve) => setImmediate(resolve))
  }
}

void test('readiness probes what is not known before it answers', async (t) => {
  let state: 'unknown' | 'up' = 'unknown'
  const local = await monitored(t, {
    upstreams: {
      snapshot: () => [targetSnapshot({ state })],
      probe: async () => {
        state = 'up'
      },
    },
  })
  t.match((await local.ask('readiness')).result, { ready: true, unavailable: [] })
})

void test('a required upstream whose probe brings nothing makes the process unready', async (t) => {
  const local = await monitored(t, {
    upstreams: { snapshot: () => [targetSnapshot({ state: 'down' })], probe: async () => {} },
  })
  t.strictSame((await local.ask('readiness')).result, {
    ready: false,
    draining: false,
    unavailable: ['fleet'],
    maintenance: false,
  })
})

void test('a draining process is unready at once and asks no upstream', async (t) => {
  const local = await monitored(t, {
    draining: () => true,
    upstreams: { snapshot: () => [targetSnapshot()], probe: () => Promise.reject(new Error('asked')) },
  })
  t.match((await local.ask('readiness')).result, { ready: false, draining: true })
})

void test('the level is set on every logger and told', async (t) => {
  const loggers = [{ level: 'info' }, { level: 'info' }]
  const local = await monitored(t, { loggers })
  await local.tell('log-level', { level: 'silent' })
  t.strictSame(
    loggers.map(({ level }) => level),
    ['silent', 'silent'],
  )
  t.equal((await local.ask('log-level')).result, 'silent')
})

void test('requests pay nothing: no hook is added', async (t) => {
  const added: string[] = []
  const fastify = Fastify()
  t.teardown(() => fastify.close())
  const addHook = fastify.addHook.bind(fastify) as (name: string, hook: unknown) => FastifyInstance
  fastify.addHook = ((name: string, hook: unknown) => {
    added.push(name)
    return addHook(name, hook)
  }) as typeof fastify.addHook
  await fastify.register(monitor, {
    local: new LocalControl(),
    version: '0',
    upstreams: { snapshot: () => [], probe: async () => {} },
    draining: () => false,
    loggers: [],
  })
  await fastify.ready()
  t.strictSame(new Set(added), new Set(['onClose']))
})
