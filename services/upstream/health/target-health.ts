import { type AttemptEnd, type AttemptWatcher, verdictOf } from '../attempt-watcher.ts'
import type { Clock } from '../clock.ts'
import { Breaker } from '../breaker/breaker.ts'
import type { UpstreamListener } from '../events.ts'
import type { UpstreamOptions } from '../options.ts'
import type { RecentLatency } from '../retry/recent-latency.ts'
import type { Target } from '../target.ts'
import { HealthCheck } from './health-check.ts'
import type { HealthOptions } from './options.ts'
import { Outliers } from './outliers.ts'
import { SlowStart } from './slow-start.ts'

export interface TargetHealthParts {
  clock: Clock
  /** 0…1, without 1. */
  random: () => number
  /** The targets that requests may be sent to. */
  members: () => readonly Target[]
  /** Something has changed by which targets are chosen. */
  changed: () => void
  tell: UpstreamListener
}

/** Looks after the targets of one upstream: asks them, learns from requests, and gives those that return their share slowly. */
export class TargetHealth implements AttemptWatcher {
  /** How long answers take, where somebody wants to know. */
  latency: RecentLatency | null = null
  readonly #options: UpstreamOptions
  readonly #parts: TargetHealthParts
  readonly #failureStatuses: ReadonlySet<number>
  readonly #outliers: Outliers<Target> | null
  readonly #slowStart: SlowStart

  constructor(options: UpstreamOptions, parts: TargetHealthParts) {
    const { clock, changed, members } = parts
    this.#options = options
    this.#parts = parts
    this.#failureStatuses = new Set(options.failureStatuses)
    this.#slowStart = new SlowStart({ durationMs: options.slowStartMs, clock, changed })
    this.#outliers =
      options.outliers === null
        ? null
        : new Outliers(options.outliers, {
            clock,
            members,
            ejected: (target, news) => {
              parts.tell({ type: 'ejected', upstream: options.name, target: target.url, ...news })
              changed()
            },
            returned: (target) => {
              parts.tell({ type: 'returned', upstream: options.name, target: target.url })
              this.#returned(target)
            },
          })
  }

  /** A target has come. @param late after the others: it takes its share slowly */
  begin(target: Target, late: boolean): void {
    const { health } = this.#options
    if (late) this.#slowStart.begin(target)
    if (health !== null) this.#ask(target, health)
  }

  /** Gives a target that is made its breaker. */
  equip(target: Target): void {
    const { breaker, name } = this.#options
    const { clock, tell, changed } = this.#parts
    if (breaker === null) return
    target.breaker = new Breaker(breaker, {
      clock,
      changed: (from, to, reason) => {
        if (from !== to) tell({ type: 'breaker', upstream: name, target: target.url, from, to, reason })
        if (to === 'closed') this.#returned(target)
        else changed()
      },
    })
  }

  #ask(target: Target, health: HealthOptions): void {
    const { name } = this.#options
    const { clock, random, tell } = this.#parts
    target.check = new HealthCheck(health, {
      clock,
      random,
      connect: () => target.connect(),
      changed: (healthy, reason) => {
        // What was well from its first answer on is no news.
        if (healthy && target.check?.failed === 0) return
        tell({ type: healthy ? 'healthy' : 'unhealthy', upstream: name, target: target.url, reason })
        if (healthy) this.#returned(target)
        else this.#parts.changed()
      },
    })
  }

  /** A target leaves. Its breaker goes on until its connections end: it may come back before that, and nobody else would try it. */
  end(target: Target): void {
    target.check?.close()
    target.check = null
    this.#slowStart.end(target)
    this.#outliers?.forget(target)
  }

  /** Another process leaves a target alone. */
  follow(target: Target, ejection: { reason: string; forMs: number }): void {
    this.#outliers?.follow(target, ejection)
  }

  /** Who learns from the requests of so many targets; `null` where nothing could follow from it. */
  watcherOf(targets: number): AttemptWatcher | null {
    const canEject = this.#outliers !== null && targets > 1
    return canEject || this.#options.breaker !== null || this.latency !== null ? this : null
  }

  answered(target: Target, head: Pick<AttemptEnd, 'status' | 'ticket'>): void {
    if (target.breaker !== null && this.#isGood(head)) target.breaker.answered(head.ticket)
  }

  attempted(target: Target, attempt: AttemptEnd): void {
    if (attempt.outcome === 'response') this.latency?.record(performance.now(), attempt.ms)
    const verdict = verdictOf(attempt, this.#failureStatuses)
    target.breaker?.leave(attempt.ticket, verdict, this.#isGood(attempt))
    if (verdict !== undefined) this.#outliers?.attempted(target, verdict === 'failure', attempt.ms)
  }

  /** It has a head, which is no failure. */
  #isGood({ status }: Pick<AttemptEnd, 'status'>): boolean {
    return status !== 0 && !this.#failureStatuses.has(status)
  }

  #returned(target: Target): void {
    this.#slowStart.begin(target)
    this.#parts.changed()
  }
}
