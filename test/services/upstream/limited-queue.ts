import type { ConcurrencyLimiter } from '../../../services/upstream/concurrency/limiter.ts'

/** A service that works at a few requests at a time and lets the others wait, and clients that ask whether it answers or not. */
export interface ModelService {
  workers: number
  serviceMs: number
}

export interface QueueModel {
  limiter: ConcurrencyLimiter
  /** At a time of the clock. */
  serviceAt: (now: number) => ModelService
  /** Requests a millisecond. */
  rate: number
  forMs: number
  /** What is measured begins here. */
  settleMs: number
  random: () => number
}

export interface QueueResult {
  servedPerMs: number
  p99Ms: number
  /** The limit, once a second. */
  limits: number[]
}

/** A simulation by events: arrivals by chance, service times within half and one and a half of the mean. */
export function runQueue({ limiter, serviceAt, rate, forMs, settleMs, random }: QueueModel): QueueResult {
  const events: { at: number; task: () => void }[] = []
  const queue: (() => void)[] = []
  const latencies: number[] = []
  const limits: number[] = []
  let [now, busy, served] = [0, 0, 0]
  const plan = (ms: number, task: () => void): void => {
    const at = now + ms
    let place = events.length
    while (place > 0 && (events[place - 1] as { at: number }).at < at) place--
    events.splice(place, 0, { at, task })
  }
  const work = (): void => {
    const { workers, serviceMs } = serviceAt(now)
    while (busy < workers && queue.length > 0) {
      const done = queue.shift() as () => void
      busy++
      plan(serviceMs * (0.5 + random()), () => {
        busy--
        done()
        work()
      })
    }
  }
  const send = (cameAt: number): void => {
    const sentAt = now
    queue.push(() => {
      if (now > settleMs) {
        served++
        latencies.push(now - cameAt)
      }
      limiter.leave(now, { ms: now - sentAt, overloaded: false })
    })
    work()
  }
  const arrive = (): void => {
    const cameAt = now
    const turn = { enter: () => send(cameAt) }
    if (limiter.take()) send(cameAt)
    else if (limiter.wait(turn)) plan(limiter.options.waitMs, () => limiter.withdraw(turn) && limiter.refuse())
    else limiter.refuse()
    plan(-Math.log(1 - random()) / rate, arrive)
  }
  plan(0, arrive)
  for (let event = events.pop(); event !== undefined && event.at < forMs; event = events.pop()) {
    now = event.at
    event.task()
    while (limits.length * 1000 <= now) limits.push(limiter.snapshot().limit)
  }
  const sorted = latencies.toSorted((a, b) => a - b)
  return { servedPerMs: served / (forMs - settleMs), p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? 0, limits }
}
