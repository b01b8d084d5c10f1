import type { LimitClock } from './clock.ts'
import type { Decision, Limiter } from './decision.ts'
import { advance, charge, type Pace, unitsLeft, waitFor } from './gcra.ts'
import { KeyTable } from './key-table.ts'

/** A limit that one process has for itself: each decision is made at once, in some hundred nanoseconds (bench/micro/limit.ts). */
export class LocalLimiter implements Limiter {
  readonly #pace: Pace
  readonly #clock: LimitClock
  readonly #table: KeyTable

  constructor({ pace, clock, maxKeys }: { pace: Pace; clock: LimitClock; maxKeys: number }) {
    this.#pace = pace
    this.#clock = clock
    this.#table = new KeyTable({ maxKeys })
  }

  take(key: string, cost: number, into: Decision): undefined {
    const now = this.#clock.now()
    const tat = this.#table.seek(key, now)
    const next = cost === 0 ? tat : advance(this.#pace, tat, now, cost)
    into.allowed = cost === 0 ? unitsLeft(this.#pace, tat, now) > 0 : next >= 0
    if (into.allowed && cost !== 0) this.#table.put(next)
    describe(into, { pace: this.#pace, clock: this.#clock, now, tat: into.allowed ? next : tat, cost })
  }

  giveBack(key: string, cost: number): void {
    this.charge(key, -cost)
  }

  charge(key: string, cost: number): void {
    const now = this.#clock.now()
    const tat = this.#table.seek(key, now)
    this.#table.put(charge(this.#pace, tat, now, cost))
  }

  /** What all have used together, where that is more than is known of here: so much of the bucket is to come back. */
  heard(key: string, ahead: number): void {
    const now = this.#clock.now()
    const tat = this.#table.seek(key, now)
    if (now + ahead > tat) this.#table.put(now + ahead)
  }

  keys(): number {
    return this.#table.count(this.#clock.now())
  }

  get bytes(): number {
    return this.#table.bytes
  }

  async close(): Promise<void> {}
}

/** Fills in what is left, and when there will be more. */
export function describe(
  into: Decision,
  { pace, clock, now, tat, cost }: { pace: Pace; clock: LimitClock; now: number; tat: number; cost: number },
): void {
  into.left = unitsLeft(pace, tat, now)
  const wanted = into.allowed ? Math.min(into.left + 1, pace.burst) : Math.max(cost, 1)
  const wait = waitFor(pace, tat, now, wanted)
  into.waitMs = wait === 0 ? 0 : clock.inMs(wait)
}
