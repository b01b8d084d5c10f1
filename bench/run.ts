/**
 * `npm run bench [-- --quick] [--json file] [--only a,b]`: Headrace, its peers and the floor, side by side.
 * Ends with 1 when a round was invalid, 2 for wrong arguments, 130 when interrupted.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { REFERENCE, selectContenders, UsageError } from './contenders.ts'
import { measure, type Pace, type Runner } from './measure.ts'
import { findCores, Processes } from './processes.ts'
import { circumstances, summarize, table, type Report } from './report.ts'
import { json100k } from './scenarios/json-100k.ts'
import { json1k } from './scenarios/json-1k.ts'
import { post1k } from './scenarios/post-1k.ts'
import type { Scenario } from './scenarios/scenario.ts'

const SCENARIOS: readonly Scenario[] = [json1k, json100k, post1k]
const FULL: Pace & { budgetMs: number } = { rounds: 5, roundMs: 900, warmUpMs: 1_000, budgetMs: 165_000 }
const QUICK: typeof FULL = { rounds: 3, roundMs: 500, warmUpMs: 600, budgetMs: 50_000 }
/** The first warm-up is this much longer: V8 still compiles. */
const COLD = 3

function readArguments(): { quick: boolean; json: string | null; only: string[] | null } {
  const { values } = parseArgs({
    options: { quick: { type: 'boolean' }, json: { type: 'string' }, only: { type: 'string' } },
  })
  return { quick: values.quick ?? false, json: values.json ?? null, only: values.only?.split(',') ?? null }
}

const isArgumentError = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')

/** A contender that alters an answer is not measured at all. */
async function checkAnswers(runners: readonly Runner[], origin: string, scenarios: readonly Scenario[]): Promise<void> {
  for (const { method, path, body } of scenarios) {
    const ask = async (base: string): Promise<string> => {
      const response = await fetch(base + path, { method, body, headers: { 'content-type': 'application/json' } })
      return `${response.status} ${response.headers.get('etag')} ${await response.text()}`
    }
    const expected = await ask(origin)
    for (const { name, url } of runners) {
      const answer = await ask(url)
      if (answer !== expected) throw new Error(`${name} answers ${method} ${path} with ${answer.slice(0, 200)}`)
    }
  }
}

async function bench(processes: Processes): Promise<boolean> {
  const { quick, json, only } = readArguments()
  const pace = quick ? QUICK : FULL
  const deadline = performance.now() + pace.budgetMs
  const notes: string[] = []
  const note = (text: string): void => {
    notes.push(text)
    console.log(`Note: ${text}`)
  }

  const cores = findCores()
  if ('unpinned' in cores) note(cores.unpinned)
  const { contender: contenderCore, load: loadCore } = 'unpinned' in cores ? { contender: null, load: null } : cores
  const origin = (await processes.start('the origin', 'origin.ts', [], loadCore)).announcement
  const load = await processes.start('the load', 'load.ts', [], loadCore)
  if ('unavailable' in origin || origin.url === null) throw new Error('The origin serves nothing')

  const runners: Runner[] = []
  for (const { name, script, args } of selectContenders(only)) {
    const started = await processes.start(name, `peers/${script}`, ['--origin', origin.url, ...args], contenderCore)
    const { announcement } = started
    if ('unavailable' in announcement) note(`${name} is left out: ${announcement.unavailable}`)
    else if (announcement.url !== null) runners.push({ name, url: announcement.url, pids: announcement.pids })
  }
  const scenarios = SCENARIOS.filter((scenario) => scenario.quick || !quick)
  await checkAnswers(runners, origin.url, scenarios)

  let valid = true
  const report: Report = { ...circumstances(), pinned: !('unpinned' in cores), pace, notes, scenarios: [] }
  for (const [index, scenario] of scenarios.entries()) {
    // Each scenario may use its share of the time that is left, so that a slow machine still reports all of them.
    const until = performance.now() + (deadline - performance.now()) / (scenarios.length - index)
    const series = await measure(
      { load, runners, scenario, pace: index === 0 ? { ...pace, warmUpMs: COLD * pace.warmUpMs } : pace },
      () => performance.now() > until,
      (contender, round) => {
        if (round.invalid === null) return
        valid = false
        note(`INVALID ROUND: ${contender}, ${scenario.name}: ${round.invalid}`)
      },
    )
    const summary = summarize(scenario, series)
    report.scenarios.push(summary)
    console.log(`\n${table(summary)}`)
  }
  const { commit, modified, node, machine } = report
  console.log(`\nRatio: requests per CPU-second over ${REFERENCE}, by round; median, then least and greatest.`)
  console.log(`Commit ${commit}${modified ? ' (modified)' : ''}, Node ${node}, ${machine.cores} × ${machine.cpu}`)
  if (json !== null) writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`)
  return valid
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
