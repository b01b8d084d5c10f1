/** The time that a limit is counted in: what of it has passed comes back to a bucket. Whatever else changes, it never falls. */
export interface LimitClock {
  now(): number
  /** Milliseconds until the clock has gone on by so much; of quotas, until the next period begins. */
  inMs(ahead: number): number
}

/** Milliseconds of a clock that nobody sets. */
export class SteadyClock implements LimitClock {
  readonly now: () => number

  constructor(now: () => number = () => performance.now()) {
    this.now = now
  }

  inMs(ahead: number): number {
    return ahead
  }
}

export type Period = 'day' | 'month'

/** Units between two periods: more than any quota, and exact in a double for every day to come. */
export const PERIOD_UNITS = 1e10

/** What a clock may be corrected by, without having been wrong. */
export const CORRECTION_MS = 3_600_000

/**
 * A clock for quotas of calendar days and months, in UTC: it stands while a period lasts and jumps ahead by more than any
 * quota when the next one begins. With it, GCRA with an interval of one unit *is* a counter that is cleared at midnight.
 *
 * A wall clock may be set back: this one never is, so that what was used stays used. Set back by no more than
 * {@link CORRECTION_MS}, it goes on in the period that it has reached. Set back further, that clock was wrong, and the next
 * period begins when the one ends that it really is: nobody is held back for longer than that.
 */
export class CalendarClock implements LimitClock {
  readonly #period: Period
  readonly #wall: () => number
  #index = 0
  /** Milliseconds since the epoch: when the period began that it is, and when the next one does. */
  #begins = 0
  #ends = 0

  constructor(period: Period, wall: () => number = Date.now) {
    this.#period = period
    this.#wall = wall
  }

  now(): number {
    const wall = this.#wall()
    if (wall >= this.#ends || wall < this.#begins - CORRECTION_MS) this.#turn(wall)
    return this.#index * PERIOD_UNITS
  }

  inMs(): number {
    return Math.max(0, this.#ends - this.#wall())
  }

  #turn(wall: number): void {
    const date = new Date(wall)
    const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()]
    const isDay = this.#period === 'day'
    const index = isDay ? Date.UTC(year, month, day) / 86_400_000 : year * 12 + month
    if (wall >= this.#ends) this.#index = Math.max(index, this.#index + 1)
    this.#begins = Date.UTC(year, month, isDay ? day : 1)
    this.#ends = isDay ? Date.UTC(year, month, day + 1) : Date.UTC(year, month + 1, 1)
  }
}
