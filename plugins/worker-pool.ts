import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { WorkersOptions } from '../services/workers/options.ts'
import { WorkerPool } from '../services/workers/worker-pool.ts'

/**
 * Worker threads for what would hold up requests: a bounded line before them, a time for each task that begins when the
 * task does, and a new thread for one that crashes or hangs. No thread is started before there is work.
 *
 * It shares `workerPool`, and ends the threads when the application closes.
 */
export type WorkerPoolOptions = Partial<WorkersOptions> & {
  /** One that there is already, in place of one of its own; it is closed all the same. */
  pool?: WorkerPool
}

declare module 'fastify' {
  interface FastifyInstance {
    workerPool: WorkerPool
  }
}

async function workerPool(fastify: FastifyInstance, options: WorkerPoolOptions): Promise<void> {
  const { threads = 1, queue = 256 } = options
  const pool = options.pool ?? new WorkerPool({ threads, queue })
  fastify.decorate('workerPool', pool)
  fastify.addHook('onClose', () => pool.close())
}

export default fp(workerPool, { name: 'headrace-worker-pool', fastify: '5.x' })
