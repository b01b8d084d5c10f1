import { type Test, test } from 'tap'
import { WorkerPool } from '../../../services/workers/worker-pool.ts'

const MODULE = new URL('./tasks.ts', import.meta.url).href
/** Milliseconds: longer than any task here takes by itself. */
const PATIENT = 60_000
const TIMEOUT = { timeout: 90_000 }

function poolOf(t: Test, options = { threads: 1, queue: 8 }) {
  const pool = new WorkerPool(options)
  t.teardown(() => pool.close())
  const run = (name: string, input?: unknown, timeoutMs = PATIENT): Promise<unknown> =>
    pool.run({ module: MODULE, name, input, timeoutMs })
  return { pool, run }
}

void test('a thread does what it is given, one after the other', TIMEOUT, async (t) => {
  const { run } = poolOf(t)
  const order: unknown[] = []
  await Promise.all([1, 2, 3].map(async (n) => order.push(await run('echo', n))))
  t.same(order, [1, 2, 3])
  t.same(await run('echo', Buffer.from('bytes')), new Uint8Array(Buffer.from('bytes')))
})

void test('what hangs is ended at its time, and the next runs', TIMEOUT, async (t) => {
  const { pool, run } = poolOf(t)
  const hung = run('hang', undefined, 100)
  const next = run('echo', 'next')
  await t.rejects(hung, { code: 'HR_WORKER_TIMEOUT', statusCode: 504 })
  t.equal(await next, 'next')
  await t.rejects(run('fail', 'so it says'))
  t.same(pool.ended, { done: 1, failed: 1, timeout: 1, refused: 0 })
})

void test('the time of a task begins when it does, not when it is lined up', TIMEOUT, async (t) => {
  const { run } = poolOf(t)
  await run('echo')
  // Lined up, the second waits longer than it may take itself.
  const [first, second] = await Promise.all([run('block', 4_000), run('echo', 'second', 2_000)])
  t.same([first, second], ['done', 'second'])
})

void test('a thread that crashes, ends or runs out of memory takes its task along and no other', TIMEOUT, async (t) => {
  const { run } = poolOf(t)
  for (const fault of ['fail', 'exit', 'fillMemory']) {
    const faulty = run(fault, 'so it says')
    const next = run('echo', fault)
    await t.rejects(faulty, { code: 'HR_WORKER_FAILED' }, fault)
    t.equal(await next, fault)
  }
  await t.rejects(run('fail', 'so it says'), /so it says/)
})

void test('the line is bounded', TIMEOUT, async (t) => {
  const { pool, run } = poolOf(t, { threads: 1, queue: 2 })
  const taken = [run('echo', 1), run('echo', 2), run('echo', 3)]
  t.same([pool.running, pool.waiting], [1, 2])
  await t.rejects(run('echo', 4), { code: 'HR_WORKER_QUEUE_FULL', statusCode: 503 })
  t.same(await Promise.all(taken), [1, 2, 3])
  t.equal(await run('echo', 5), 5)
  t.same([pool.running, pool.waiting], [0, 0])
  t.same(pool.ended, { done: 4, failed: 0, timeout: 0, refused: 1 })
})

void test('several threads work at a time', TIMEOUT, async (t) => {
  const { pool, run } = poolOf(t, { threads: 2, queue: 2 })
  const hung = run('hang', undefined, 20_000)
  hung.catch(() => undefined)
  t.equal(await run('echo', 'beside it'), 'beside it')
  t.equal(pool.running, 1)
})

void test('closing ends what runs, refuses what waits, and takes nothing more', TIMEOUT, async (t) => {
  const { pool, run } = poolOf(t)
  await run('echo')
  const running = run('hang')
  const waiting = run('echo')
  const refused = Promise.all([
    t.rejects(running, { code: 'HR_WORKER_CLOSED' }),
    t.rejects(waiting, { code: 'HR_WORKER_CLOSED' }),
  ])
  await pool.close()
  await refused
  await t.rejects(run('echo'), { code: 'HR_WORKER_CLOSED' })
  await pool.close()
})
