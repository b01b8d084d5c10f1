import type { WorkerPool } from '../workers/worker-pool.ts'
import { family, type MetricDefinition, type MetricSource } from './families.ts'

const tasks: MetricDefinition = {
  name: 'headrace_worker_tasks_total',
  type: 'counter',
  help: 'Tasks of worker threads, by how they ended: done, failed (an error, a crash, no memory left), timeout, refused (the line was full)',
  labels: ['outcome'],
}

const running: MetricDefinition = {
  name: 'headrace_worker_running',
  type: 'gauge',
  help: 'Tasks that worker threads are at',
  labels: [],
}

const waiting: MetricDefinition = {
  name: 'headrace_worker_waiting',
  type: 'gauge',
  help: 'Tasks that wait for a worker thread',
  labels: [],
}

/** What worker threads do. @param pool `null` for the definitions alone */
export function workerMetrics(pool: Pick<WorkerPool, 'running' | 'waiting' | 'ended'> | null): MetricSource {
  return {
    definitions: [tasks, running, waiting],
    collect: () =>
      pool === null
        ? []
        : [
            family(
              tasks,
              Object.entries(pool.ended).map(([outcome, value]) => ({ labels: { outcome }, value })),
            ),
            family(running, [{ labels: {}, value: pool.running }]),
            family(waiting, [{ labels: {}, value: pool.waiting }]),
          ],
  }
}
