import { Eldest } from '../lifetime/eldest.ts'
import { type Decision, emptyDecision, type Limiter } from './decision.ts'
import { atMost, type Errand, type Errands } from './errands.ts'
import { requestOf, type SharedLimit } from './exact-limiter.ts'
import { advance, charge } from './gcra.ts'
import { KeyTable } from './key-table.ts'
import { Lease } from './lease.ts'
import { graceOf, type Loan, type LoanRequest, overdraft } from './lending.ts'

/** Keys that may have a lease at a time. Whoever calls for the first time after that takes the place of the oldest. */
const MOST_LEASES = 100_000
/** How often leases are looked at that nobody has used, and how many of them. */
const SWEEP_MS = 100
const SWEPT_AT_ONCE = 5_000
/** A lease that was not used for so long is given back. */
const IDLE_MS = 1_000
/** What was not to be had is asked for again after so long: others may have given it back. */
const DENIED_MS = 1_000

/**
 * A limit of which this process borrows some units ahead, key by key: it decides at once by what it has been lent, and
 * borrows again in the background before that is used up.
 *
 * A request waits (50 ms at most for Redis) where nothing is known of its key and no overdraft is left for it, and where what was known
 * has run out. Where the ledger is away or late, the process decides by itself, by what all had used when that said so last
 * and by all that it has let pass since.
 */
export class LeasedLimiter implements Limiter {
  readonly #limit: SharedLimit
  readonly #errands: Errands
  readonly #alone: () => void
  readonly #leases = new Map<string, Lease>()
  readonly #eldest = new Eldest(this.#leases)
  /** What keys have used that had to make room: a flood does not let anybody off. */
  readonly #evicted: KeyTable
  readonly #grace: number
  #sweep: NodeJS.Timeout | null = null
  #cursor: MapIterator<[string, Lease]> | null = null

  /** @param alone told of each decision that was made without the ledger */
  constructor(limit: SharedLimit, { errands, alone }: { errands: Errands; alone: () => void }) {
    this.#limit = limit
    this.#errands = errands
    this.#alone = alone
    this.#evicted = new KeyTable({ maxKeys: limit.maxKeys })
    // The time of a quota stands still.
    this.#grace = limit.period === null ? graceOf(limit.pace) : 0
  }

  take(key: string, cost: number, into: Decision): Promise<Decision> | undefined {
    const { pace, clock } = this.#limit
    const now = clock.now()
    const lease = this.#leases.get(key) ?? this.#begin(key)
    lease.touched = true
    if (cost === 0) return this.#look(lease, into)
    if (lease.use(cost, pace, now - this.#grace)) {
      this.#pass(lease, cost, now)
      if (lease.isLow(pace) && this.#errands.now() >= lease.deniedUntil) this.#ask(key, lease, 1)
      return this.#tell(lease, true, into)
    }
    if (this.#isDenied(lease, cost)) return this.#tell(lease, false, into)
    if (lease.fresh && lease.unreported + lease.reporting + cost <= overdraft(pace, this.#errands.ledger.members)) {
      lease.unreported += cost
      this.#pass(lease, cost, now)
      this.#ask(key, lease, 1)
      return this.#tell(lease, true, into)
    }
    if (this.#errands.usable) return this.#wait(key, lease, cost)
    this.#decideAlone(lease, cost, into)
    return undefined
  }

  giveBack(key: string, cost: number): void {
    this.#use(key, -cost)
  }

  charge(key: string, cost: number): void {
    const lease = this.#use(key, cost)
    // What comes next is to know of it soon.
    this.#ask(key, lease, 0)
  }

  keys(): number {
    return this.#leases.size
  }

  /** Gives back what is left, so that the others have it. */
  async close(): Promise<void> {
    if (this.#sweep !== null) clearInterval(this.#sweep)
    this.#sweep = null
    for (const [key, lease] of this.#leases) this.#giveUp(key, lease)
    await this.#errands.settled()
    this.#leases.clear()
  }

  #begin(key: string): Lease {
    if (this.#leases.size >= MOST_LEASES) {
      const eldest = this.#eldest.next() as string
      this.#evict(eldest, this.#leases.get(eldest) as Lease)
    }
    const lease = new Lease()
    lease.tat = this.#evicted.seek(key, this.#limit.clock.now())
    this.#leases.set(key, lease)
    this.#sweep ??= setInterval(() => this.#sweepSome(), SWEEP_MS).unref()
    return lease
  }

  #evict(key: string, lease: Lease): void {
    this.#giveUp(key, lease)
    this.#leases.delete(key)
    const now = this.#limit.clock.now()
    if (lease.tat <= now) return
    this.#evicted.seek(key, now)
    this.#evicted.put(lease.tat)
  }

  #use(key: string, cost: number): Lease {
    const lease = this.#leases.get(key) ?? this.#begin(key)
    lease.unreported += cost
    lease.tat = charge(this.#limit.pace, lease.tat, this.#limit.clock.now(), cost)
    return lease
  }

  #pass(lease: Lease, cost: number, now: number): void {
    lease.tat = charge(this.#limit.pace, lease.tat, now, cost)
  }

  /** What is charged afterwards only has to be let in. */
  #look(lease: Lease, into: Decision): undefined {
    const { pace, clock } = this.#limit
    const isAlone = !this.#errands.usable
    const isLeft = isAlone ? advance(pace, lease.tat, clock.now(), 1) >= 0 : !this.#isDenied(lease, 1)
    if (isAlone) this.#alone()
    this.#tell(lease, isLeft, into)
  }

  #tell(lease: Lease, allowed: boolean, into: Decision): undefined {
    const { pace, clock } = this.#limit
    const now = clock.now()
    into.allowed = allowed
    into.left = Math.min(pace.burst, lease.units(pace, now - this.#grace) + lease.knownLeft)
    into.waitMs = allowed
      ? into.left < pace.burst
        ? clock.inMs(pace.interval)
        : 0
      : Math.max(0, lease.backAt - this.#errands.now())
  }

  #decideAlone(lease: Lease, cost: number, into: Decision): void {
    const { pace, clock } = this.#limit
    const now = clock.now()
    const next = advance(pace, lease.tat, now, cost)
    this.#alone()
    if (next >= 0) {
      lease.tat = next
      lease.unreported += cost
    }
    this.#tell(lease, next >= 0, into)
    if (next < 0) into.waitMs = clock.inMs(lease.tat - now - (pace.burst - cost) * pace.interval)
  }

  /** Until there is enough for it, or none to be had, or time is over. Others that wait for the same key may be quicker. */
  async #wait(key: string, lease: Lease, cost: number): Promise<Decision> {
    const { pace, clock } = this.#limit
    const errands = this.#errands
    const into = emptyDecision()
    const until = errands.now() + errands.deadlineMs
    const { answers } = lease
    for (let left = errands.deadlineMs; left > 0 && errands.usable; left = until - errands.now()) {
      const wait = atMost(left)
      lease.waiting.push(wait.call)
      lease.needed += cost
      this.#ask(key, lease, cost)
      await wait.promise
      const now = clock.now()
      if (lease.use(cost, pace, now - this.#grace)) {
        this.#pass(lease, cost, now)
        this.#tell(lease, true, into)
        return into
      }
      if (this.#isDenied(lease, cost)) {
        this.#tell(lease, false, into)
        return into
      }
    }
    // The ledger is there: others were quicker, all this time.
    if (lease.answers > answers) this.#tell(lease, false, into)
    else this.#decideAlone(lease, cost, into)
    return into
  }

  /** @param need what makes it worth asking; 0: to tell what was used */
  #ask(key: string, lease: Lease, need: number): void {
    if (lease.asking) return
    const errand = new Asking(this.#limit, { key, lease, need, grace: this.#grace, now: this.#errands.now })
    lease.asking = this.#errands.add(errand)
    if (!lease.asking) lease.wake()
  }

  #sweepSome(): void {
    this.#cursor ??= this.#leases.entries()
    const now = this.#errands.now()
    for (let i = 0; i < SWEPT_AT_ONCE; i++) {
      const { value, done } = this.#cursor.next()
      if (done === true) {
        this.#cursor = null
        break
      }
      const [key, lease] = value
      if (lease.touched) {
        lease.touched = false
        lease.idleSince = now
      } else if (now - lease.idleSince >= IDLE_MS) this.#giveUp(key, lease)
    }
    if (this.#leases.size > 0 || this.#sweep === null) return
    clearInterval(this.#sweep)
    this.#sweep = null
  }

  /** Returns what is left of a lease, and forgets the key where nothing has to be remembered of it. */
  #giveUp(key: string, lease: Lease): void {
    if (lease.asking) return
    const { pace, clock } = this.#limit
    const now = clock.now()
    lease.unreported -= lease.drop(pace, now - this.#grace)
    if (lease.unreported !== 0) this.#ask(key, lease, 0)
    else if (lease.tat <= now && lease.backAt <= this.#errands.now()) this.#leases.delete(key)
  }

  #isDenied({ deniedFor, deniedUntil, backAt }: Lease, cost: number): boolean {
    if (backAt === 0 || cost < deniedFor) return false
    return this.#errands.now() < (this.#errands.usable ? deniedUntil : backAt)
  }
}

/** One lease's way to the ledger and back. */
class Asking implements Errand {
  readonly #limit: SharedLimit
  readonly #key: string
  readonly #lease: Lease
  readonly #need: number
  readonly #grace: number
  readonly #now: () => number
  #used = 0
  /** On the limit's own clock: when it was asked. */
  #asked = 0

  constructor(
    limit: SharedLimit,
    { key, lease, need, grace, now }: { key: string; lease: Lease; need: number; grace: number; now: () => number },
  ) {
    this.#now = now
    this.#grace = grace
    this.#limit = limit
    this.#key = key
    this.#lease = lease
    this.#need = need
  }

  request(): LoanRequest {
    const lease = this.#lease
    this.#used = lease.reporting = lease.unreported
    this.#asked = this.#limit.clock.now()
    lease.unreported = 0
    const need = this.#need
    const want = need === 0 ? 0 : Math.max(lease.wanted(this.#now()), need, lease.needed)
    lease.needed = 0
    return requestOf(this.#limit, this.#key, { used: this.#used, need, want })
  }

  done(loan: Loan | null, sentAt: number): void {
    const lease = this.#lease
    lease.asking = false
    lease.reporting = 0
    if (loan === null) lease.unreported += this.#used
    else {
      const { pace } = this.#limit
      lease.fresh = false
      lease.answers++
      lease.knownLeft = loan.left
      const start = this.#asked + (loan.start - loan.now)
      // Where the ledger is late or away next, what all have used until now counts.
      lease.tat = Math.max(lease.tat, start)
      if (loan.granted > 0) lease.add(start, start + loan.granted * pace.interval, pace)
      else {
        // Nothing is lost by asking a little later for a little more: it is kept there.
        const wait = loan.wait > 0 ? Math.max(loan.wait, this.#grace) : 0
        lease.backAt = sentAt + wait
        lease.deniedUntil = sentAt + Math.min(wait, DENIED_MS)
        lease.deniedFor = Math.max(this.#need, 1)
      }
    }
    lease.wake()
  }
}
