/** Every scenario, in the order in which they run, and which of them a run is about. */
import { admittedHit, admittedJson1k } from './admitted.ts'
import { hit } from './hit.ts'
import { hitH2 } from './hit-h2.ts'
import { hitMiss } from './hit-miss.ts'
import { hitWithoutBody } from './hit-without-body.ts'
import { json100k } from './json-100k.ts'
import { json1k } from './json-1k.ts'
import { post1k } from './post-1k.ts'
import type { Scenario } from './scenario.ts'

export const SCENARIOS: readonly Scenario[] = [
  json1k,
  json100k,
  post1k,
  hit,
  hitH2,
  hitWithoutBody,
  hitMiss,
  admittedJson1k,
  admittedHit,
]

/** The command line asks for what there is not. */
export class UsageError extends Error {}

/**
 * What a run measures. Scenarios that are named run, quick or not; entrants that are named run beside the reference of
 * each scenario that they take part in.
 *
 * @param only names of scenarios and entrants; null for all
 * @throws UsageError for a name that neither has, and when nothing is left
 */
export function select(only: readonly string[] | null, quick: boolean): Scenario[] {
  const names = only ?? []
  const entrantNames = SCENARIOS.flatMap(({ entrants }) => entrants.map(({ name }) => name))
  const chosen = names.filter((name) => SCENARIOS.some((scenario) => scenario.name === name))
  const runners = names.filter((name) => entrantNames.includes(name))
  const unknown = names.filter((name) => !chosen.includes(name) && !runners.includes(name))
  if (unknown.length > 0) {
    const known = [...SCENARIOS.map(({ name }) => name), ...new Set(entrantNames)]
    throw new UsageError(`Nothing is named ${unknown.join(', ')}. There are: ${known.join(', ')}`)
  }
  const wanted = SCENARIOS.filter(({ name, quick: short }) =>
    chosen.length > 0 ? chosen.includes(name) : short || !quick,
  )
  const selected = runners.length === 0 ? wanted : wanted.flatMap((scenario) => reduce(scenario, runners))
  if (selected.length === 0) {
    throw new UsageError(
      `No scenario of this run has ${runners.join(', ')}: name one that has it too, or leave out --quick`,
    )
  }
  return selected
}

/** A scenario with these entrants and its reference alone; nothing where none of them takes part. */
function reduce(scenario: Scenario, names: readonly string[]): Scenario[] {
  if (!scenario.entrants.some(({ name }) => names.includes(name))) return []
  const stays = (name: string): boolean => name === scenario.reference || names.includes(name)
  return [
    {
      ...scenario,
      entrants: scenario.entrants.filter(({ name }) => stays(name)),
      targets: scenario.targets.filter(({ entrant, over }) => stays(entrant) && stays(over)),
    },
  ]
}
