/** Requests at a rate, whatever becomes of those before: what is late is counted as late. */
import { percentile } from '../load/client.ts'

/** Sends one request. @returns what is wrong with its answer; null when it is as it has to be */
export type Send = () => Promise<string | null>

export interface PacedResult {
  sent: number
  failed: number
  /** How often each fault occurred. */
  faults: Record<string, number>
  p50Ms: number
  p95Ms: number
  p99Ms: number
  greatestMs: number
}

const TICK_MS = 2
/** More than a proof sends in one go. */
const MOST = 200_000

/**
 * Keeps sending `perSecond` requests a second until it is ended. A request's time counts from when it was due: neither a
 * client that stalls nor one that waits for an answer lets the others off.
 */
export class Paced {
  readonly #send: Send
  readonly #perSecond: number
  readonly #startedAt = performance.now()
  readonly #timer: NodeJS.Timeout
  readonly #latencies = new Float64Array(MOST)
  readonly #pending = new Set<Promise<void>>()
  readonly #faults: Record<string, number> = {}
  #sent = 0
  #answered = 0
  #failed = 0

  constructor(perSecond: number, send: Send) {
    this.#perSecond = perSecond
    this.#send = send
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
  }

  /** Sends no more, and waits for the answers that are still to come. */
  async end(): Promise<PacedResult> {
    clearInterval(this.#timer)
    await Promise.all(this.#pending)
    const sorted = this.#latencies.subarray(0, this.#answered).sort()
    return {
      sent: this.#sent,
      failed: this.#failed,
      faults: this.#faults,
      p50Ms: percentile(sorted, 0.5),
      p95Ms: percentile(sorted, 0.95),
      p99Ms: percentile(sorted, 0.99),
      greatestMs: sorted.at(-1) ?? Number.NaN,
    }
  }

  #tick(): void {
    const due = ((performance.now() - this.#startedAt) * this.#perSecond) / 1000
    while (this.#sent < due && this.#sent < MOST) {
      const dueAt = this.#startedAt + (this.#sent++ * 1000) / this.#perSecond
      const one = this.#one(dueAt)
      this.#pending.add(one)
      void one.then(() => this.#pending.delete(one))
    }
  }

  async #one(dueAt: number): Promise<void> {
    const fault = await this.#send()
    this.#latencies[this.#answered++] = performance.now() - dueAt
    if (fault === null) return
    this.#failed++
    this.#faults[fault] = (this.#faults[fault] ?? 0) + 1
  }
}

/** For so long. */
export async function pacedFor(milliseconds: number, perSecond: number, send: Send): Promise<PacedResult> {
  const paced = new Paced(perSecond, send)
  await new Promise((resolve) => setTimeout(resolve, milliseconds))
  return paced.end()
}

/** As many at once as are said, each after the other's answer, for so long. */
export async function busyFor(milliseconds: number, atOnce: number, send: Send): Promise<void> {
  const until = performance.now() + milliseconds
  const loop = async (): Promise<void> => {
    while (performance.now() < until) await send()
  }
  await Promise.all(Array.from({ length: atOnce }, loop))
}
