/** What a run says: a table for people, JSON for everything else. */
import { spawnSync } from 'node:child_process'
import { arch, cpus, platform, release, totalmem } from 'node:os'
import { CONTENDERS, REFERENCE } from './contenders.ts'
import { median, type Pace, type Round, type Series } from './measure.ts'
import type { Scenario } from './scenarios/scenario.ts'

/** Medians over the valid rounds of one contender, and how it compares. */
export interface Row {
  contender: string
  requestsPerSecond: number
  cpuMicrosPerRequest: number
  /** Of the best round: on a shared machine, what disturbs only ever adds. */
  leastCpuMicrosPerRequest: number
  p50Ms: number
  p99Ms: number
  /** Requests per CPU-second over the reference's of the same round: median, least and greatest. Null without rounds. */
  ratio: { median: number; least: number; greatest: number } | null
  target: number | null
  /** Null where there is no target, or nothing to compare. */
  met: boolean | null
  rounds: Round[]
}

export interface ScenarioReport {
  scenario: string
  title: string
  rows: Row[]
}

export interface Report {
  commit: string | null
  /** Whether the working tree differed from the commit. */
  modified: boolean
  date: string
  node: string
  machine: { platform: string; arch: string; release: string; cpu: string; cores: number; memoryMiB: number }
  pinned: boolean
  pace: Pace
  notes: string[]
  scenarios: ScenarioReport[]
}

function ratioOf(rounds: readonly Round[], reference: readonly Round[]): Row['ratio'] {
  const ratios = rounds.flatMap((round, i) => {
    const other = reference[i]
    return other && !round.invalid && !other.invalid ? [other.cpuMicrosPerRequest / round.cpuMicrosPerRequest] : []
  })
  if (ratios.length === 0) return null
  return { median: median(ratios), least: Math.min(...ratios), greatest: Math.max(...ratios) }
}

/** Reduces the rounds of one scenario to its rows. Only valid rounds count. */
export function summarize(scenario: Scenario, all: readonly Series[]): ScenarioReport {
  const reference = all.find((series) => series.contender === REFERENCE)?.rounds ?? []
  const rows = all.map(({ contender, rounds }): Row => {
    const valid = rounds.filter((round) => round.invalid === null)
    const ratio = ratioOf(rounds, reference)
    const target = scenario.targets[contender] ?? null
    return {
      contender,
      requestsPerSecond: median(valid.map((round) => round.requestsPerSecond)),
      cpuMicrosPerRequest: median(valid.map((round) => round.cpuMicrosPerRequest)),
      leastCpuMicrosPerRequest: Math.min(...valid.map((round) => round.cpuMicrosPerRequest)),
      p50Ms: median(valid.map((round) => round.p50Ms)),
      p99Ms: median(valid.map((round) => round.p99Ms)),
      ratio,
      target,
      met: target === null || ratio === null ? null : ratio.median >= target,
      rounds,
    }
  })
  return { scenario: scenario.name, title: scenario.title, rows }
}

const git = (...args: string[]): string | null => {
  const { status, stdout } = spawnSync('git', args, { encoding: 'utf8', cwd: import.meta.dirname })
  return status === 0 ? stdout.trim() : null
}

/** Where and on what a run took place. */
export function circumstances(): Pick<Report, 'commit' | 'modified' | 'date' | 'node' | 'machine'> {
  const processors = cpus()
  return {
    commit: git('rev-parse', '--short', 'HEAD'),
    modified: git('status', '--porcelain', '--untracked-files=no') !== '',
    date: new Date().toISOString(),
    node: process.version,
    machine: {
      platform: platform(),
      arch: arch(),
      release: release(),
      cpu: processors[0]?.model.trim() ?? 'unknown',
      cores: processors.length,
      memoryMiB: Math.round(totalmem() / 2 ** 20),
    },
  }
}

function verdict({ ratio, target, met }: Row): string {
  if (target === null) return ''
  return `≥ ${target.toFixed(1)}×  ${ratio === null ? 'not measured' : met ? 'met' : 'MISSED'}`
}

function cells(row: Row): string[] {
  const { ratio } = row
  return [
    CONTENDERS.find(({ name }) => name === row.contender)?.title ?? row.contender,
    Math.round(row.requestsPerSecond).toLocaleString('en-US'),
    row.cpuMicrosPerRequest.toFixed(1),
    row.leastCpuMicrosPerRequest.toFixed(1),
    row.p50Ms.toFixed(2),
    row.p99Ms.toFixed(2),
    ratio === null ? '' : `${ratio.median.toFixed(2)}×`,
    ratio === null ? '' : `${ratio.least.toFixed(2)}–${ratio.greatest.toFixed(2)}`,
    verdict(row),
  ]
}

const HEADINGS = ['', 'requests/s', 'CPU µs/request', 'least', 'p50 ms', 'p99 ms', 'ratio', 'spread', 'target']

/** One scenario as text: the ratio is requests per CPU-second over @fastify/http-proxy's. */
export function table({ title, rows }: ScenarioReport): string {
  const lines = [HEADINGS, ...rows.map(cells)]
  const widths = HEADINGS.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)))
  const pad = (text: string, column: number): string =>
    column === 0 || column === HEADINGS.length - 1 ? text.padEnd(widths[column]!) : text.padStart(widths[column]!)
  return [title, ...lines.map((line) => `  ${line.map(pad).join('  ').trimEnd()}`)].join('\n')
}
