/** How a contender is measured: interleaved rounds of fixed work, and the CPU time that each took. */
import { cpuMicros } from './cpu-time.ts'
import type { LoadOrder, LoadResult } from './load.ts'
import type { Child } from './processes.ts'
import type { Scenario } from './scenarios/scenario.ts'

const CONNECTIONS = 64
const ANSWER_TIMEOUT_MS = 60_000
/** The first requests only tell how fast a contender is, so that a round's work can be sized. */
const PROBE_REQUESTS = 2_000
/** Share of a round's work that goes ahead of it uncounted: connections on both sides are opened by it. */
const RUN_UP = 0.1

/** A contender that serves. */
export interface Runner {
  name: string
  url: string
  pids: readonly number[]
}

/** One measured round. */
export interface Round {
  requests: number
  requestsPerSecond: number
  cpuMicrosPerRequest: number
  p50Ms: number
  p99Ms: number
  /** Why the round does not count; null when it does. */
  invalid: string | null
}

/** How long things take. */
export interface Pace {
  rounds: number
  /** About how long a round's work should take. */
  roundMs: number
  /** Discarded ahead of the first round, for each contender and scenario. */
  warmUpMs: number
}

/** All rounds of one contender in one scenario. */
export interface Series {
  contender: string
  rounds: Round[]
}

/** Sends a scenario's requests through one contender. */
class Gun {
  readonly #load: Child
  readonly #scenario: Scenario

  constructor(load: Child, scenario: Scenario) {
    this.#load = load
    this.#scenario = scenario
  }

  fire(runner: Runner, requests: number): Promise<LoadResult> {
    const { method, path, body } = this.#scenario
    const order: LoadOrder = {
      type: 'load',
      url: runner.url + path,
      method,
      body,
      connections: CONNECTIONS,
      requests: Math.max(CONNECTIONS, Math.round(requests)),
    }
    return this.#load.ask<LoadResult>(order, ANSWER_TIMEOUT_MS)
  }

  /** Warms a contender up. @returns the requests that make a round */
  async warmUp(runner: Runner, { warmUpMs, roundMs }: Pace): Promise<number> {
    const probe = await this.fire(runner, PROBE_REQUESTS)
    const warm = await this.fire(runner, (PROBE_REQUESTS / probe.seconds) * (warmUpMs / 1000))
    return ((warm.succeeded + warm.failed) / warm.seconds) * (roundMs / 1000)
  }

  async round(runner: Runner, requests: number): Promise<Round> {
    await this.fire(runner, requests * RUN_UP)
    const before = cpuMicros(runner.pids)
    const result = await this.fire(runner, requests)
    const cpu = cpuMicros(runner.pids) - before
    const answered = result.succeeded + result.failed
    return {
      requests: answered,
      requestsPerSecond: answered / result.seconds,
      cpuMicrosPerRequest: cpu / answered,
      p50Ms: result.p50Ms,
      p99Ms: result.p99Ms,
      invalid: this.#fault(result),
    }
  }

  #fault(result: LoadResult): string | null {
    if (result.failed > 0) return `${result.failed} of ${result.failed + result.succeeded} requests failed`
    if (result.bytes < result.succeeded * this.#scenario.answerBytes) return 'answers came short'
    return null
  }
}

/**
 * Measures every contender in one scenario: A B C, B C A, C A B …, so that what drifts on the machine meets all alike.
 *
 * @param expired asked ahead of each round but the first: true ends the measurement early
 * @param onRound told each round as it ends
 */
export async function measure(
  { load, runners, scenario, pace }: { load: Child; runners: readonly Runner[]; scenario: Scenario; pace: Pace },
  expired: () => boolean,
  onRound: (contender: string, round: Round) => void,
): Promise<Series[]> {
  const gun = new Gun(load, scenario)
  const entries = []
  for (const runner of runners) {
    const rounds: Round[] = []
    entries.push({ runner, rounds, requests: await gun.warmUp(runner, pace) })
  }
  for (let number = 0; number < pace.rounds && (number === 0 || !expired()); number++) {
    for (let i = 0; i < entries.length; i++) {
      const { runner, rounds, requests } = entries[(i + number) % entries.length]!
      const round = await gun.round(runner, requests)
      rounds.push(round)
      onRound(runner.name, round)
    }
  }
  return entries.map(({ runner, rounds }) => ({ contender: runner.name, rounds }))
}

/** The middle value; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  if (sorted.length % 2 === 1) return sorted[middle]!
  return sorted.length === 0 ? Number.NaN : (sorted[middle - 1]! + sorted[middle]!) / 2
}
