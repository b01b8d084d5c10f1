import type { Pace } from './gcra.ts'

/** Milliseconds that a lease is meant to last. */
const SHORT = 100
const LONG = 1_000
const MOST_WANTED = 65_536

/**
 * What a process has been lent of one key: two intervals of the limit's virtual time, of which it uses up the first. A unit
 * whose time has passed is lost, as what a full bucket would have been given is; it may be late by the grace, since it takes
 * a while to be lent, and so a bucket that is full can be over by what comes back within the grace.
 */
export class Lease {
  /** Theoretical arrival time by what the ledger said last, and what this process alone has let pass since. */
  tat = 0
  /** Used, and not told to the ledger; below 0: to be given back. */
  unreported = 0
  /** Used, and being told. */
  reporting = 0
  /** So many units, or more, were not to be had. */
  deniedFor = 0
  /** Until when they are not asked for again: milliseconds of a clock that nobody sets. */
  deniedUntil = 0
  /** When they come by themselves, on the same clock; others may give some back before. */
  backAt = 0
  /** Units that the ledger had left when it was asked last. */
  knownLeft = 0
  /** The ledger has not been asked about this key. */
  fresh = true
  asking = false
  /** How often it has been. */
  answers = 0
  /** Units that those who wait are waiting for. */
  needed = 0
  /** It was used since somebody looked. */
  touched = true
  idleSince = 0
  readonly waiting: (() => void)[] = []
  #from = 0
  #to = 0
  #nextFrom = 0
  #nextTo = 0
  /** How much the first interval was. */
  #length = 0
  #want = 1
  #askedAt = Number.NEGATIVE_INFINITY
  #lastedLong = true

  /** @returns whether there were so many units */
  use(cost: number, { interval }: Pick<Pace, 'interval'>, oldest: number): boolean {
    if (this.#from < oldest) this.#from = oldest
    const length = cost * interval
    // A thousandth of a unit may be lost to rounding.
    const enough = length - interval * 1e-3
    if (this.#to - this.#from < enough) {
      if (this.#nextTo - Math.max(this.#nextFrom, oldest) < enough) return false
      this.unreported -= wholeUnits(this.#from, this.#to, interval)
      this.#from = Math.max(this.#nextFrom, oldest)
      this.#to = this.#nextTo
      this.#length = this.#to - this.#from
      this.#nextFrom = this.#nextTo = 0
    }
    this.#from += length
    return true
  }

  /** What was lent before the last time is given back. */
  add(from: number, to: number, { interval }: Pick<Pace, 'interval'>): void {
    if (this.#to - this.#from < interval) {
      this.#from = from
      this.#to = to
      this.#length = to - from
      return
    }
    this.unreported -= wholeUnits(this.#nextFrom, this.#nextTo, interval)
    this.#nextFrom = from
    this.#nextTo = to
  }

  /** Whether it is time to borrow more: half is used up, by somebody who calls often. */
  isLow({ interval }: Pick<Pace, 'interval'>): boolean {
    if (this.asking || this.#nextTo > this.#nextFrom || (this.#lastedLong && this.#length <= interval)) return false
    return this.#to - this.#from < Math.max(interval, this.#length / 2)
  }

  units({ interval }: Pick<Pace, 'interval'>, oldest: number): number {
    const first = wholeUnits(Math.max(this.#from, oldest), this.#to, interval)
    return first + wholeUnits(Math.max(this.#nextFrom, oldest), this.#nextTo, interval)
  }

  /** @returns the whole units that there were */
  drop(pace: Pick<Pace, 'interval'>, oldest: number): number {
    const units = this.units(pace, oldest)
    this.#from = this.#to = this.#nextFrom = this.#nextTo = 0
    return units
  }

  /**
   * Units to borrow: twice as many where the last have not lasted, half where they have lasted long.
   *
   * @param now in milliseconds
   */
  wanted(now: number): number {
    const lasted = now - this.#askedAt
    this.#askedAt = now
    this.#lastedLong = lasted > LONG
    if (lasted < SHORT) this.#want = Math.min(MOST_WANTED, this.#want * 2)
    else if (this.#lastedLong) this.#want = Math.max(1, Math.floor(this.#want / 2))
    return this.#want
  }

  /** Those who wait look again. */
  wake(): void {
    for (const call of this.waiting.splice(0)) call()
  }
}

function wholeUnits(from: number, to: number, interval: number): number {
  return to > from ? Math.floor((to - from) / interval + 1e-3) : 0
}
