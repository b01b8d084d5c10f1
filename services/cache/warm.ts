import { CacheWarmBusyError, CacheWarmSizeError } from './errors.ts'
import { MOST_WARM_TARGETS, type WarmTarget } from './warm-target.ts'

export interface WarmFailure {
  url: string
  /** The status, or what went wrong. */
  reason: string
}

/** How far a round has come. Times in ms since 1970. */
export interface WarmProgress {
  /** `idle`: there has been none. */
  state: 'idle' | 'running' | 'done' | 'cancelled'
  total: number
  /** Answered, well or badly. */
  done: number
  failed: number
  startedAt: number | null
  finishedAt: number | null
  /** The first hundred. */
  failures: WarmFailure[]
}

export interface WarmerOptions {
  /** Asks for one; resolves with the status once the answer has come whole. The signal means: no longer of interest. */
  request: (target: WarmTarget, signal: AbortSignal) => Promise<number>
  /** Requests at a time; default 4: clients come first. */
  concurrency?: number
  /** For one request; default 30 s. */
  timeoutMs?: number
  now?: () => number
}

const MOST_FAILURES = 100

/** Asks for a list of URLs, a few at a time, so that their answers are stored before clients want them. */
export class Warmer {
  readonly #options: Required<WarmerOptions>
  #progress: WarmProgress = idle()
  #round: AbortController | undefined

  constructor(options: WarmerOptions) {
    this.#options = { concurrency: 4, timeoutMs: 30_000, now: Date.now, ...options }
  }

  /** A copy. */
  get progress(): WarmProgress {
    return { ...this.#progress, failures: [...this.#progress.failures] }
  }

  /**
   * Begins a round; the same target twice counts once. Failures are counted and listed, and never reject.
   *
   * @returns what came of it, once it is over
   * @throws CacheWarmBusyError while one is running, CacheWarmSizeError for more than 10,000
   */
  start(targets: readonly WarmTarget[]): Promise<WarmProgress> {
    if (this.#round !== undefined) throw new CacheWarmBusyError()
    const list = distinct(targets)
    if (list.length > MOST_WARM_TARGETS) throw new CacheWarmSizeError(list.length, MOST_WARM_TARGETS)
    const round = new AbortController()
    const progress: WarmProgress = {
      ...idle(),
      state: 'running',
      total: list.length,
      startedAt: this.#options.now(),
    }
    this.#round = round
    this.#progress = progress
    return this.#run(list, round.signal, progress)
  }

  /** Ends the round that is running: what is under way is given up. @returns whether there was one */
  cancel(): boolean {
    if (this.#round === undefined) return false
    this.#round.abort()
    return true
  }

  async #run(list: readonly WarmTarget[], signal: AbortSignal, progress: WarmProgress): Promise<WarmProgress> {
    const waiting = list.values()
    const worker = async (): Promise<void> => {
      for (const target of waiting) {
        if (signal.aborted) return
        const reason = await this.#ask(target, signal)
        if (signal.aborted) return
        progress.done++
        if (reason === undefined) continue
        progress.failed++
        if (progress.failures.length < MOST_FAILURES) progress.failures.push({ url: target.url, reason })
      }
    }
    await Promise.all(Array.from({ length: Math.min(this.#options.concurrency, list.length) }, worker))
    progress.state = signal.aborted ? 'cancelled' : 'done'
    progress.finishedAt = this.#options.now()
    this.#round = undefined
    return this.progress
  }

  /** @returns why it failed */
  async #ask(target: WarmTarget, cancelled: AbortSignal): Promise<string | undefined> {
    const { request, timeoutMs } = this.#options
    const given = new AbortController()
    const over = Promise.withResolvers<never>()
    const giveUp = (reason: string): void => {
      over.reject(new Error(reason))
      given.abort()
    }
    const onCancel = (): void => giveUp('cancelled')
    const timer = setTimeout(() => giveUp(`no answer in ${timeoutMs} ms`), timeoutMs)
    cancelled.addEventListener('abort', onCancel)
    try {
      const status = await Promise.race([(async () => request(target, given.signal))(), over.promise])
      return status < 400 ? undefined : String(status)
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    } finally {
      clearTimeout(timer)
      cancelled.removeEventListener('abort', onCancel)
    }
  }
}

/** Of several processes, each of which warms its own memory. */
export function mergeWarmProgress(parts: readonly WarmProgress[]): WarmProgress {
  const merged = idle()
  for (const part of parts) {
    merged.total += part.total
    merged.done += part.done
    merged.failed += part.failed
    merged.failures.push(...part.failures.slice(0, MOST_FAILURES - merged.failures.length))
    merged.startedAt = earliest(merged.startedAt, part.startedAt)
  }
  const states = ['running', 'cancelled', 'done', 'idle'] as const
  merged.state = states.find((state) => parts.some((part) => part.state === state)) ?? 'idle'
  const ends = parts.map(({ finishedAt }) => finishedAt).filter((at) => at !== null)
  merged.finishedAt = merged.state === 'running' || ends.length === 0 ? null : Math.max(...ends)
  return merged
}

function idle(): WarmProgress {
  return { state: 'idle', total: 0, done: 0, failed: 0, startedAt: null, finishedAt: null, failures: [] }
}

function earliest(one: number | null, other: number | null): number | null {
  return one === null || (other !== null && other < one) ? other : one
}

function distinct(targets: readonly WarmTarget[]): WarmTarget[] {
  const known = new Map<string, WarmTarget>()
  for (const target of targets) {
    const headers = Object.entries(target.headers)
      .map(([name, value]) => [name.toLowerCase(), value])
      .toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1))
    known.set(JSON.stringify([target.url, headers]), target)
  }
  return [...known.values()]
}
