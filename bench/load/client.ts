/** What every way of sending requests has in common. */
import type { Request, Traffic } from '../scenarios/scenario.ts'

/** How long the answers to one kind of request took. */
export interface Latency {
  name: string
  p50Ms: number
  p99Ms: number
}

/** What came of a number of requests. */
export interface LoadResult {
  /** Answered as they have to be. */
  succeeded: number
  failed: number
  /** The first failure, in words. */
  fault: string | null
  /** Of those that succeeded, how many have to reach the origin: kinds need not come out even. */
  forOrigin: number
  /** From the first request to the last answer. */
  seconds: number
  /** All kinds together. */
  p50Ms: number
  p99Ms: number
  /** By kind of request, where there are several. */
  kinds: Latency[]
}

/** Sends the requests of a traffic, always as many at once as it says. */
export interface LoadClient {
  run(requests: number): Promise<LoadResult>
  close(): void
}

/** @param base where the contender serves */
export type OpenClient = (base: URL, traffic: Traffic) => Promise<LoadClient>

/** Gathers what a run's answers were and took. */
export class Tally {
  readonly #kinds: readonly Request[]
  readonly #latencies: Float64Array[]
  readonly #counts: number[]
  readonly #startedAt = performance.now()
  #endedAt = this.#startedAt
  #failed = 0
  #fault: string | null = null

  constructor({ requests }: Traffic, most: number) {
    this.#kinds = requests
    this.#latencies = requests.map(() => new Float64Array(most))
    this.#counts = requests.map(() => 0)
  }

  /** @param kind which of the traffic's requests */
  succeeded(kind: number, milliseconds: number): void {
    this.#latencies[kind]![this.#counts[kind]!++] = milliseconds
    this.#endedAt = performance.now()
  }

  failed(fault: string, times = 1): void {
    this.#failed += times
    this.#fault ??= fault
    this.#endedAt = performance.now()
  }

  result(): LoadResult {
    const each = this.#latencies.map((latencies, kind) => latencies.subarray(0, this.#counts[kind]).sort())
    const all = each.length === 1 ? each[0]! : Float64Array.from(each.flatMap((latencies) => [...latencies])).sort()
    const latency = (name: string, sorted: Float64Array): Latency => ({
      name,
      p50Ms: percentile(sorted, 0.5),
      p99Ms: percentile(sorted, 0.99),
    })
    const { p50Ms, p99Ms } = latency('', all)
    return {
      succeeded: all.length,
      failed: this.#failed,
      fault: this.#fault,
      forOrigin: this.#counts.reduce((sum, count, kind) => sum + (this.#kinds[kind]!.reachesOrigin ? count : 0), 0),
      seconds: (this.#endedAt - this.#startedAt) / 1000,
      p50Ms,
      p99Ms,
      kinds: each.length === 1 ? [] : each.map((sorted, kind) => latency(this.#kinds[kind]!.name, sorted)),
    }
  }
}

/** The least value that a share of all does not exceed; NaN of nothing. */
export function percentile(sorted: Float64Array, share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}
