import Fastify from 'fastify'
import { test } from 'tap'
import workerPool from '../../plugins/worker-pool.ts'

void test('the application has worker threads until it closes', { timeout: 90_000 }, async (t) => {
  const app = Fastify()
  await app.register(workerPool, { threads: 1, queue: 0 })
  const module = new URL('../services/workers/tasks.ts', import.meta.url).href
  const task = { module, name: 'echo', input: 'here', timeoutMs: 60_000 }
  t.equal(await app.workerPool.run(task), 'here')
  await app.close()
  await t.rejects(app.workerPool.run(task), { code: 'HR_WORKER_CLOSED' })
})
