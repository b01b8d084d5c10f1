import { formatDuration } from '../../options/units.ts'
import type { PurgeMark } from '../store/purge-log.ts'
import { CacheClosedError, ValueTimeoutError } from './errors.ts'

/** What the function that makes a value is told. */
export interface MakeContext {
  /** The key as it was given. */
  key: string
  /** Aborted when nobody waits for the value any more: it took too long, or the application closes. */
  signal: AbortSignal
}

export type Make<T> = (context: MakeContext) => T | Promise<T>

/** One value being made, for everybody who wants it. It ends in bounded time whatever the function does. */
export class Making {
  /** Of the moment before the function was called. */
  readonly mark: PurgeMark
  /** That moment: milliseconds since 1970. */
  readonly begunAt: number
  readonly tags: readonly string[]
  /** Set or deleted since: what comes is not stored, and nobody joins. */
  outdated = false
  /** What it comes to, serialised. */
  made: Promise<Buffer> | undefined
  readonly #abort = new AbortController()

  constructor({ mark, begunAt, tags }: Pick<Making, 'mark' | 'begunAt' | 'tags'>) {
    this.mark = mark
    this.begunAt = begunAt
    this.tags = tags
  }

  /**
   * Called once.
   * @throws what the function throws; HR_CACHE_VALUE_TIMEOUT, HR_CACHE_CLOSED
   */
  async value<T>(key: string, make: Make<T>, timeoutMs: number): Promise<T> {
    const { signal } = this.#abort
    const timer = setTimeout(() => {
      this.#abort.abort(new ValueTimeoutError(key, formatDuration(timeoutMs)))
    }, timeoutMs)
    const aborted = Promise.withResolvers<never>()
    signal.addEventListener('abort', () => aborted.reject(signal.reason as Error), { once: true })
    try {
      // What throws before it returns a promise is a failure like any other.
      return await Promise.race([(async () => make({ key, signal }))(), aborted.promise])
    } finally {
      clearTimeout(timer)
    }
  }

  close(): void {
    this.#abort.abort(new CacheClosedError())
  }
}
