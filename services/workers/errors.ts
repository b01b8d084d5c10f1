import createError from '@fastify/error'

/** More work waits for the worker threads than may (`workers.queue`). */
export const WorkerQueueFullError = createError(
  'HR_WORKER_QUEUE_FULL',
  'The worker threads are busy, and %s tasks wait already. Try again later, or raise workers.threads.',
  503,
)

/** A task took longer than it may; its thread was ended. */
export const WorkerTimeoutError = createError(
  'HR_WORKER_TIMEOUT',
  'A task in a worker thread took more than %s ms.',
  504,
)

/** A task failed, or its thread did: by an error, out of memory, by ending. The cause says how. */
export const WorkerFailedError = createError('HR_WORKER_FAILED', 'A task in a worker thread failed: %s', 500)

/** The pool has been closed: nothing is taken any more. */
export const WorkersClosedError = createError('HR_WORKER_CLOSED', 'The worker threads have been ended.', 503)
