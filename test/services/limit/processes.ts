import { emptyDecision } from '../../../services/limit/decision.ts'
import { Errands } from '../../../services/limit/errands.ts'
import { paceOf } from '../../../services/limit/gcra.ts'
import { LeasedLimiter } from '../../../services/limit/leased-limiter.ts'
import type { Ledger } from '../../../services/limit/ledger.ts'
import type { Loan, LoanRequest } from '../../../services/limit/lending.ts'
import { MemoryLedger } from '../../../services/limit/memory-ledger.ts'

export interface Scene {
  count: number
  windowMs: number
  burst: number
  /** Processes that share the limit. */
  members: number
  /** Milliseconds to the ledger and back. */
  latency: number
  arrivals: readonly { after: number; process: number; many: number }[]
}

export interface Outcome {
  /** Units by which, in the worst interval, more passed than the burst and the rate allow. */
  over: number
  passed: number
  /** What the burst and the rate allow in all this time. */
  most: number
  /** Decisions that were made without the ledger. */
  alone: number
}

const START = 1_000

/** Several processes with one limit, in time that only passes here: no timer, no clock of the machine. */
export async function play({ count, windowMs, burst, members, latency, arrivals }: Scene): Promise<Outcome> {
  let now = START
  let alone = 0
  const pace = paceOf({ count, windowMs }, burst)
  const keeper = new MemoryLedger({ steady: () => now })
  const events: { at: number; run: () => void }[] = []
  const ledger: Ledger = {
    name: 'test',
    ready: true,
    members,
    close: async () => {},
    settle: (requests: readonly LoanRequest[]) =>
      new Promise<Loan[]>((resolve) => {
        const arrive = (): void => {
          const loans = keeper.settle(requests, members)
          events.push({ at: now + latency / 2, run: () => resolve(loans) })
        }
        events.push({ at: now + latency / 2, run: arrive })
      }),
  }
  const clock = { now: () => now, inMs: (ms: number) => ms }
  const limit = { id: 'a', pace, clock, period: null, maxKeys: 100 }
  const limiters = Array.from(
    { length: members },
    () => new LeasedLimiter(limit, { errands: new Errands(ledger, () => now), alone: () => void alone++ }),
  )
  const goTo = async (time: number): Promise<void> => {
    for (;;) {
      await settled()
      const next = events.toSorted((a, b) => a.at - b.at)[0]
      if (next === undefined || next.at > time) break
      events.splice(events.indexOf(next), 1)
      now = Math.max(now, next.at)
      next.run()
    }
    now = time
  }
  const passed: number[] = []
  for (const { after, process, many } of arrivals) {
    await goTo(now + after)
    for (let i = 0; i < many; i++) {
      const into = emptyDecision()
      const pending = limiters[process % members]?.take('key', 1, into)
      if (pending !== undefined) void pending.then(({ allowed }) => allowed && passed.push(now))
      else if (into.allowed) passed.push(now)
    }
  }
  await goTo(now + 100)
  const most = burst + (now - START) / pace.interval
  const closed = Promise.all(limiters.map((limiter) => limiter.close()))
  await goTo(now + 100)
  await closed
  return { over: excess(passed, pace.interval, burst), passed: passed.length, most, alone }
}

/** What is to happen at this time has happened. */
async function settled(): Promise<void> {
  for (let i = 0; i < 12; i++) await Promise.resolve()
}

function excess(times: readonly number[], interval: number, burst: number): number {
  let most = 0
  let least = Number.POSITIVE_INFINITY
  for (const [index, time] of times.entries()) {
    const ahead = index - time / interval
    least = Math.min(least, ahead)
    most = Math.max(most, ahead - least + 1 - burst)
  }
  return most
}
