import type { Piscina } from 'piscina'
import { WorkerFailedError, WorkerQueueFullError, WorkersClosedError, WorkerTimeoutError } from './errors.ts'
import type { WorkersOptions } from './options.ts'
import { threadEnvironment } from './thread-environment.ts'

/** What a thread is to do. */
export interface WorkerTask {
  /** `file:` URL of the thread's module, and the function that it exports. */
  module: string
  name: string
  /** Given to the function; what `structuredClone()` takes. */
  input: unknown
  /** How long it may take once it has begun; its thread is ended then, whatever it does. */
  timeoutMs: number
}

/** `refused`: the line was full. */
export type TaskEnding = 'done' | 'failed' | 'timeout' | 'refused'

interface Waiting {
  task: WorkerTask
  resolve: (result: unknown) => void
  reject: (error: Error) => void
}

/** Of a thread, beyond what its task's input and result take. */
const MAX_HEAP_MB = 256
const IDLE_MS = 30_000

/**
 * Worker threads (Piscina), and what waits for them. The line is here, and bounded: Piscina gets a task only when a thread
 * is free for it, because its own would begin a task's time when it is lined up (piscina#869). A thread that crashes, runs
 * out of memory or hangs takes its task along, and no other: another thread takes its place.
 */
export class WorkerPool {
  /** Tasks, by how they ended: plain integers, read at scrape. */
  readonly ended: Record<TaskEnding, number> = { done: 0, failed: 0, timeout: 0, refused: 0 }
  readonly #options: WorkersOptions
  readonly #waiting: Waiting[] = []
  #running = 0
  #isClosed = false
  /** Made with the first task: most processes have none. */
  #threads: Promise<Piscina> | undefined

  constructor(options: WorkersOptions) {
    this.#options = options
  }

  /** Tasks that have begun. */
  get running(): number {
    return this.#running
  }

  /** Tasks that have not. */
  get waiting(): number {
    return this.#waiting.length
  }

  /**
   * @returns what the function returns
   * @throws HR_WORKER_QUEUE_FULL, HR_WORKER_CLOSED at once; HR_WORKER_TIMEOUT, HR_WORKER_FAILED
   */
  run(task: WorkerTask): Promise<unknown> {
    if (this.#isClosed) return Promise.reject(new WorkersClosedError())
    const { threads, queue } = this.#options
    if (this.#running >= threads && this.#waiting.length >= queue) {
      this.ended.refused++
      return Promise.reject(new WorkerQueueFullError(queue))
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ task, resolve, reject })
      this.#next()
    })
  }

  /** Ends what runs, and refuses what waits. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const { reject } of this.#waiting.splice(0)) reject(new WorkersClosedError())
    const threads = await this.#threads
    await threads?.destroy()
  }

  #next(): void {
    while (this.#running < this.#options.threads) {
      const waiting = this.#waiting.shift()
      if (waiting === undefined) return
      this.#running++
      const { task, resolve, reject } = waiting
      this.#perform(task).then(resolve, reject)
    }
  }

  async #perform({ module, name, input, timeoutMs }: WorkerTask): Promise<unknown> {
    const abort = new AbortController()
    let timer: NodeJS.Timeout | undefined
    try {
      this.#threads ??= startThreads(this.#options.threads)
      const threads = await this.#threads
      timer = setTimeout(() => abort.abort(), timeoutMs)
      const result: unknown = await threads.run(input, { filename: module, name, signal: abort.signal })
      this.ended.done++
      return result
    } catch (error) {
      if (this.#isClosed) throw new WorkersClosedError({ cause: error })
      this.ended[abort.signal.aborted ? 'timeout' : 'failed']++
      if (abort.signal.aborted) throw new WorkerTimeoutError(timeoutMs)
      throw new WorkerFailedError(error instanceof Error ? error.message : String(error), { cause: error })
    } finally {
      clearTimeout(timer)
      this.#running--
      this.#next()
    }
  }
}

async function startThreads(threads: number): Promise<Piscina> {
  const { Piscina: Threads } = await import('piscina')
  return new Threads({
    minThreads: 0,
    maxThreads: threads,
    idleTimeout: IDLE_MS,
    env: threadEnvironment(),
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
    recordTiming: false,
  })
}
