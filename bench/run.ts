/**
 * `npm run bench [-- --quick] [--json file] [--only a,b] [--rounds n]`: Headrace, its peers and the floor, side by side.
 * `--only` names scenarios and entrants, `--rounds` takes the time that so many rounds need. Ends with 1 when a round was invalid, 2 for wrong arguments, 130 when interrupted.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { checkAnswers } from './answers.ts'
import { makeCertificate } from './certificate.ts'
import { circumstances } from './circumstances.ts'
import { Contenders } from './contenders.ts'
import { entryMemory } from './entry-memory.ts'
import { measure, type Pace, type Range } from './measure.ts'
import { findCores, Processes, type Cores } from './processes.ts'
import { type Report, type ScenarioReport, summarize } from './report.ts'
import { select, UsageError } from './scenarios/all.ts'
import { isCached, type Scenario } from './scenarios/scenario.ts'
import { memoryTable, table } from './table.ts'

const FULL: Pace & { budgetMs: number } = { rounds: 13, roundMs: 200, warmUpMs: 2_500, budgetMs: 165_000 }
const QUICK: typeof FULL = { rounds: 3, roundMs: 350, warmUpMs: 1_000, budgetMs: 48_000 }
/** For `--rounds`. */
const PATIENT = { warmUpMs: 20_000, budgetMs: Number.POSITIVE_INFINITY }

interface Arguments {
  quick: boolean
  json: string | null
  only: string[] | null
  rounds: number | null
}

const MAX_ROUNDS = 1_000

/** @throws UsageError for what is no number of rounds */
function readRounds(text: string | undefined): number | null {
  if (text === undefined) return null
  const rounds = Number(text)
  if (Number.isInteger(rounds) && rounds >= 1 && rounds <= MAX_ROUNDS) return rounds
  throw new UsageError(`--rounds is a number from 1 to ${MAX_ROUNDS}, not ${text}`)
}

function readArguments(): Arguments {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean' },
      json: { type: 'string' },
      only: { type: 'string' },
      rounds: { type: 'string' },
    },
  })
  return {
    quick: values.quick ?? false,
    json: values.json ?? null,
    only: values.only?.split(',') ?? null,
    rounds: readRounds(values.rounds),
  }
}

const isArgumentError = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')

/** One run: what it measures with, and what it has found so far. */
class Bench {
  readonly #scenarios: readonly Scenario[]
  readonly #pace: typeof FULL
  readonly #deadline: number
  readonly report: Report
  valid = true

  constructor(scenarios: readonly Scenario[], pace: typeof FULL) {
    this.#scenarios = scenarios
    this.#pace = pace
    this.#deadline = performance.now() + pace.budgetMs
    this.report = { ...circumstances(), pinned: true, pace, notes: [], scenarios: [], memory: null }
  }

  async run(processes: Processes, certificate: string): Promise<void> {
    const cores = this.#cores()
    const origin = await processes.start('the origin', 'origin.ts', [], cores?.load ?? null)
    const load = await processes.start('the load', 'load/process.ts', [], cores?.load ?? null)
    if ('unavailable' in origin.announcement || origin.announcement.url === null) {
      throw new Error('The origin serves nothing')
    }
    const { url } = origin.announcement
    const args = ['--origin', url, '--certificate', certificate]
    const place = { processes, args, core: cores?.contender ?? null }
    const contenders = new Contenders(place, (text) => this.#note(text))
    for (const [index, scenario] of this.#scenarios.entries()) {
      await contenders.keepFor(this.#scenarios.slice(index))
      const summary = await this.#measure(scenario, { range: { load, origin }, url, contenders })
      this.report.scenarios.push(summary)
      console.log(`\n${table(summary)}`)
    }
    await contenders.keepFor([])
    if (this.#scenarios.some(isCached)) {
      this.report.memory = entryMemory()
      console.log(`\n${memoryTable(this.report.memory)}`)
    }
  }

  async #measure(
    scenario: Scenario,
    { range, url, contenders }: { range: Range; url: string; contenders: Contenders },
  ): Promise<ScenarioReport> {
    const until = performance.now() + this.#share(scenario)
    const runners = await contenders.start(scenario)
    await checkAnswers(range, url, runners)
    const series = await measure(
      { range, runners, pace: this.#pace },
      () => performance.now() > until,
      ({ name }, { invalid }) => {
        if (invalid === null) return
        this.valid = false
        this.#note(`INVALID ROUND: ${name}, ${scenario.name}: ${invalid}`)
      },
    )
    return summarize(scenario, series)
  }

  /** Each entrant may use its share of the time that is left, so that a slow machine still reports all scenarios. */
  #share(scenario: Scenario): number {
    const rest = this.#scenarios.slice(this.#scenarios.indexOf(scenario))
    const entrants = rest.reduce((sum, { entrants }) => sum + entrants.length, 0)
    return ((this.#deadline - performance.now()) * scenario.entrants.length) / entrants
  }

  #cores(): Cores | null {
    const cores = findCores()
    if (!('unpinned' in cores)) return cores
    this.report.pinned = false
    this.#note(cores.unpinned)
    return null
  }

  #note(text: string): void {
    this.report.notes.push(text)
    console.log(`Note: ${text}`)
  }
}

async function bench(processes: Processes): Promise<boolean> {
  const { quick, json, only, rounds } = readArguments()
  const pace = quick ? QUICK : FULL
  const run = new Bench(select(only, quick), rounds === null ? pace : { ...pace, ...PATIENT, rounds })
  await run.run(processes, await makeCertificate())
  const { report } = run
  const { commit, modified, node, machine } = report
  console.log("\nRatio: requests per CPU-second over the first row's, by round; median, then least and greatest.")
  console.log(`Commit ${commit}${modified ? ' (modified)' : ''}, Node ${node}, ${machine.cores} × ${machine.cpu}`)
  if (json !== null) writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`)
  return run.valid
}

let interrupted = false
await using processes = new Processes()
for (const [signal, code] of Object.entries({ SIGINT: 130, SIGTERM: 143 })) {
  process.once(signal, () => {
    interrupted = true
    void processes[Symbol.asyncDispose]().then(() => process.exit(code))
  })
}
try {
  if (!(await bench(processes))) process.exitCode = 1
} catch (error) {
  // Processes that an interrupt stopped have nothing more to say.
  if (!interrupted) {
    const usage = error instanceof UsageError || isArgumentError(error)
    console.error(usage ? (error as Error).message : error)
    process.exitCode = usage ? 2 : 1
  }
}
