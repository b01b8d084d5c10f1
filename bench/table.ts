/** A report as text. */
import type { EntryMemory } from './entry-memory.ts'
import type { Row, ScenarioReport, Verdict } from './report.ts'
import type { Spread } from './statistics.ts'

const HEADINGS = ['', '', 'requests/s', 'CPU µs/request', 'least', 'p50 ms', 'p99 ms', 'ratio', 'spread']
const VERDICT_HEADINGS = ['', 'ratio', '95 %', 'spread', 'target', '']

const number = (value: number, digits: number): string =>
  Number.isFinite(value)
    ? value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
    : ''

const spread = (ratio: Spread | null): string[] =>
  ratio === null ? ['', ''] : [`${ratio.median.toFixed(2)}×`, `${ratio.least.toFixed(2)}–${ratio.greatest.toFixed(2)}`]

function cells(row: Row): string[][] {
  const latency = ({ p50Ms, p99Ms }: { p50Ms: number; p99Ms: number }): string[] => [number(p50Ms, 2), number(p99Ms, 2)]
  const { entrant, detail, requestsPerSecond, cpuMicrosPerRequest, leastCpuMicrosPerRequest } = row
  const costs = [number(requestsPerSecond, 0), number(cpuMicrosPerRequest, 1), number(leastCpuMicrosPerRequest, 1)]
  return [
    [entrant, detail, ...costs, ...latency(row), ...spread(row.ratio)],
    ...row.kinds.map((kind) => ['', `  ${kind.name}`, '', '', '', ...latency(kind), '', '']),
  ]
}

const judged = (met: boolean | null): string => (met === null ? 'not measured' : met ? 'met' : 'MISSED')

const interval = (ratio: Spread | null): string =>
  ratio === null || ratio.interval === null ? '' : ratio.interval.map((bound) => bound.toFixed(2)).join('–')

const verdictCells = ({ entrant, over, atLeast, ratio, met }: Verdict): string[] => [
  `${entrant} ÷ ${over}`,
  spread(ratio)[0]!,
  interval(ratio),
  spread(ratio)[1]!,
  `≥ ${atLeast.toFixed(2)}×`,
  judged(met),
]

/** Columns: texts at the left, figures at the right. */
export function align(lines: readonly string[][], texts: readonly number[]): string[] {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]!.length)))
  const pad = (text: string, column: number): string =>
    texts.includes(column) ? text.padEnd(widths[column]!) : text.padStart(widths[column]!)
  return lines.map((line) => `  ${line.map(pad).join('  ').trimEnd()}`)
}

/** One scenario: what each entrant took, then its targets. */
export function table({ title, rows, verdicts }: ScenarioReport): string {
  const figures = align([HEADINGS, ...rows.flatMap(cells)], [0, 1])
  const targets = verdicts.length === 0 ? [] : ['', ...align([VERDICT_HEADINGS, ...verdicts.map(verdictCells)], [0, 5])]
  return [title, ...figures, ...targets].join('\n')
}

/** What an entry takes beyond its body. */
export function memoryTable({ title, figures, atMost }: EntryMemory): string {
  const lines = figures.map(({ name, bytes }) => [
    name,
    number(bytes, 0),
    `≤ ${number(atMost, 0)}`,
    judged(bytes <= atMost),
  ])
  return [title, ...align([['', 'bytes', 'target', ''], ...lines], [0, 3])].join('\n')
}
