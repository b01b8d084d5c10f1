/** What a run found out, as data: bench/table.ts is the same for people. */
import type { Circumstances } from './circumstances.ts'
import type { EntryMemory } from './entry-memory.ts'
import type { Latency } from './load/client.ts'
import type { Pace, Round, Series } from './measure.ts'
import type { Scenario, Target } from './scenarios/scenario.ts'
import { median, ratio, type Spread } from './statistics.ts'

/** Medians over the valid rounds of one entrant, and how it compares. */
export interface Row {
  entrant: string
  detail: string
  requestsPerSecond: number
  cpuMicrosPerRequest: number
  /** Of the best round: on a shared machine, what disturbs only ever adds. */
  leastCpuMicrosPerRequest: number
  p50Ms: number
  p99Ms: number
  /** By kind of request, where there are several. */
  kinds: Latency[]
  /** Requests per CPU-second over the reference's of the same round. Null without such rounds. */
  ratio: Spread | null
  rounds: Round[]
}

/** A target, and whether it is met. */
export interface Verdict extends Target {
  /** Null where one of the two was not measured. */
  ratio: Spread | null
  met: boolean | null
}

export interface ScenarioReport {
  scenario: string
  title: string
  rows: Row[]
  verdicts: Verdict[]
}

export interface Report extends Circumstances {
  pinned: boolean
  pace: Pace
  notes: string[]
  scenarios: ScenarioReport[]
  /** Null where no scenario of the run is about the cache. */
  memory: EntryMemory | null
}

function latencies(valid: readonly Round[]): Latency[] {
  return (valid[0]?.kinds ?? []).map(({ name }, kind) => ({
    name,
    p50Ms: median(valid.map((round) => round.kinds[kind]!.p50Ms)),
    p99Ms: median(valid.map((round) => round.kinds[kind]!.p99Ms)),
  }))
}

/** Reduces the rounds of one scenario to rows and verdicts. Only valid rounds count. */
export function summarize(scenario: Scenario, all: readonly Series[]): ScenarioReport {
  const roundsOf = (name: string): readonly Round[] => all.find(({ entrant }) => entrant.name === name)?.rounds ?? []
  const rows = all.map(({ entrant, rounds }): Row => {
    const valid = rounds.filter((round) => round.invalid === null)
    return {
      entrant: entrant.name,
      detail: entrant.detail,
      requestsPerSecond: median(valid.map((round) => round.requestsPerSecond)),
      cpuMicrosPerRequest: median(valid.map((round) => round.cpuMicrosPerRequest)),
      leastCpuMicrosPerRequest: Math.min(...valid.map((round) => round.cpuMicrosPerRequest)),
      p50Ms: median(valid.map((round) => round.p50Ms)),
      p99Ms: median(valid.map((round) => round.p99Ms)),
      kinds: latencies(valid),
      ratio: ratio(rounds, roundsOf(scenario.reference)),
      rounds,
    }
  })
  const verdicts = scenario.targets.map((target): Verdict => {
    const found = ratio(roundsOf(target.entrant), roundsOf(target.over))
    return { ...target, ratio: found, met: found === null ? null : found.median >= target.atLeast }
  })
  return { scenario: scenario.name, title: scenario.title, rows, verdicts }
}
