import type { Clock } from '../clock.ts'
import type { OutlierOptions } from './options.ts'

/** What is known of how one target does. */
export class OutlierRecord {
  /** Failures since the last success. */
  inRow = 0
  /** In the window that runs. */
  requests = 0
  failures = 0
  /** Of the answers in it, to their heads. */
  totalMs = 0
  /** Ejections in close order: each doubles the time of the next. */
  streak = 0
  count = 0
  ejected: Ejection | null = null

  clear(): void {
    this.requests = this.failures = this.totalMs = 0
  }
}

export interface Ejection {
  reason: string
  /** Milliseconds since 1970. */
  until: number
  callOff: () => void
}

/** That a target is left alone from now on. */
export interface EjectionNews {
  reason: string
  forMs: number
  /** Another process has found it out. */
  followed: boolean
}

/** A target that may be left alone. */
export interface Ejectable {
  readonly outlier: OutlierRecord
  /** Nothing speaks against it; never so of one that is ejected. */
  readonly sound: boolean
}

export interface OutliersParts<T> {
  clock: Clock
  /** Those that requests may be sent to. */
  members: () => readonly T[]
  ejected: (target: T, news: EjectionNews) => void
  returned: (target: T) => void
}

/** Twice as slow as the others, and slower than is said: where all are slow, none is an outlier. */
const SLOWER = 2

/**
 * Leaves targets alone that fail, or are slow, by what becomes of ordinary requests. Not more than `maxEjected` of all at a
 * time (but one), and never the last one that is of use; each ejection in close order takes twice as long as the one before.
 */
export class Outliers<T extends Ejectable> {
  readonly #options: OutlierOptions
  readonly #parts: OutliersParts<T>
  readonly #windowed: boolean
  #windowEndsAt: number

  constructor(options: OutlierOptions, parts: OutliersParts<T>) {
    this.#options = options
    this.#parts = parts
    this.#windowed = options.failureRatio > 0 || options.latencyMs > 0
    this.#windowEndsAt = parts.clock.now() + options.windowMs
  }

  /** An attempt is over. @param ms to the response head, or to how else it ended */
  attempted(target: T, failed: boolean, ms: number): void {
    const record = target.outlier
    record.inRow = failed ? record.inRow + 1 : 0
    if (this.#windowed) {
      record.requests++
      if (failed) record.failures++
      else record.totalMs += ms
    }
    const { consecutiveFailures } = this.#options
    if (consecutiveFailures > 0 && record.inRow >= consecutiveFailures) {
      this.#eject(target, `${record.inRow} failures in a row`)
    }
    if (this.#parts.clock.now() >= this.#windowEndsAt) this.#judge()
  }

  /** Another process leaves it alone: so does this one, as long, within its own bounds. */
  follow(target: T, { reason, forMs }: Pick<EjectionNews, 'reason' | 'forMs'>): void {
    if (forMs > 0 && this.#maySpare(target)) this.#leaveAlone(target, { reason, forMs, followed: true })
  }

  /** It leaves: nothing of it is to come back. */
  forget(target: T): void {
    target.outlier.ejected?.callOff()
    target.outlier.ejected = null
  }

  /** A window is over. */
  #judge(): void {
    const members = this.#parts.members()
    this.#windowEndsAt = this.#parts.clock.now() + this.#options.windowMs
    const reasons = members.map((target) => this.#fault(target, members))
    members.forEach((target, index) => {
      const { outlier } = target
      const reason = reasons[index]
      if (reason !== undefined) this.#eject(target, reason)
      else if (outlier.ejected === null && outlier.streak > 0) outlier.streak--
      outlier.clear()
    })
  }

  /** What is wrong with a target by its window. */
  #fault({ outlier: { requests, failures, totalMs } }: T, members: readonly T[]): string | undefined {
    const { minRequests, failureRatio, latencyMs } = this.#options
    if (!this.#windowed || requests < minRequests) return undefined
    if (failureRatio > 0 && failures / requests >= failureRatio) return `${failures} of ${requests} requests failed`
    if (latencyMs === 0 || requests === failures) return undefined
    const mean = totalMs / (requests - failures)
    const all = { ms: -totalMs, answers: failures - requests }
    for (const { outlier } of members) {
      all.ms += outlier.totalMs
      all.answers += outlier.requests - outlier.failures
    }
    if (all.answers <= 0 || mean < latencyMs || mean < (SLOWER * all.ms) / all.answers) return undefined
    return `${Math.round(mean)} ms to its answers, the others ${Math.round(all.ms / all.answers)}`
  }

  #eject(target: T, reason: string): void {
    const { outlier } = target
    if (!this.#maySpare(target)) return
    const { ejectForMs, maxEjectForMs } = this.#options
    const forMs = Math.min(ejectForMs * 2 ** outlier.streak, maxEjectForMs)
    outlier.count++
    this.#leaveAlone(target, { reason, forMs, followed: false })
  }

  #leaveAlone(target: T, news: EjectionNews): void {
    const { outlier } = target
    const { reason, forMs } = news
    // 2 to the 30th of anything is more than the most.
    outlier.streak = Math.min(outlier.streak + 1, 30)
    outlier.ejected = {
      reason,
      until: Date.now() + forMs,
      callOff: this.#parts.clock.after(forMs, () => {
        outlier.ejected = null
        outlier.inRow = 0
        this.#parts.returned(target)
      }),
    }
    this.#parts.ejected(target, news)
  }

  #maySpare(target: T): boolean {
    if (target.outlier.ejected !== null) return false
    const { maxEjected } = this.#options
    const members = this.#parts.members()
    const isLast = !members.some((other) => other !== target && other.sound)
    const most = maxEjected === 0 ? 0 : Math.max(1, Math.floor(maxEjected * members.length))
    return !isLast && members.filter(({ outlier }) => outlier.ejected !== null).length < most
  }
}
