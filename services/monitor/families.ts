import { Histogram, type HistogramSnapshot } from './histogram.ts'

/** How the values of several processes become one: what `@prometheus-io/client` calls an aggregator. */
export type Aggregator = 'sum' | 'max' | 'min' | 'average' | 'first' | 'omit'

/** What a metric means: the source of its HELP line and of docs/metrics.md. */
export interface MetricDefinition {
  /** With its unit: `_seconds`, `_bytes`, `_total` for counters. */
  name: string
  type: 'counter' | 'gauge' | 'histogram' | 'summary'
  help: string
  labels: readonly string[]
  aggregator?: Aggregator
}

export interface Sample {
  value: number
  labels: Partial<Record<string, string | number>>
  /** The name of a histogram's or summary's part: `…_bucket`, `…_sum`, `…_count`. */
  metricName?: string
}

/** One metric with its values as plain data: what crosses processes and is written out for Prometheus. */
export interface MetricFamily {
  name: string
  type: MetricDefinition['type']
  help: string
  aggregator: Aggregator
  values: Sample[]
}

/** What can be asked for metrics: their meaning is known at boot, their values when someone asks. */
export interface MetricSource {
  definitions: readonly MetricDefinition[]
  collect(): MetricFamily[]
}

/** Bounds of every duration histogram, in seconds. */
export const DURATION_BOUNDS_SECONDS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
] as const
const BOUNDS_MS = DURATION_BOUNDS_SECONDS.map((seconds) => seconds * 1000)

export function family(definition: MetricDefinition, values: Sample[]): MetricFamily {
  const { name, type, help, aggregator = 'sum' } = definition
  return { name, type, help, aggregator, values }
}

/** The `_bucket`, `_sum` and `_count` samples of one duration histogram, in seconds. */
export function durationSamples(name: string, labels: Sample['labels'], snapshot: HistogramSnapshot): Sample[] {
  const counts = Histogram.cumulative(snapshot, BOUNDS_MS)
  const bucket = (le: string | number, value: number): Sample => ({
    metricName: `${name}_bucket`,
    labels: { ...labels, le },
    value,
  })
  return [
    ...counts.map((count, index) => bucket(DURATION_BOUNDS_SECONDS[index]!, count)),
    bucket('+Inf', snapshot.count),
    { metricName: `${name}_sum`, labels, value: snapshot.sumMs / 1000 },
    { metricName: `${name}_count`, labels, value: snapshot.count },
  ]
}

const COMBINE: Record<Exclude<Aggregator, 'omit'>, (values: number[]) => number> = {
  sum: (values) => values.reduce((total, value) => total + value, 0),
  max: (values) => Math.max(...values),
  min: (values) => Math.min(...values),
  average: (values) => values.reduce((total, value) => total + value, 0) / values.length,
  first: (values) => values[0]!,
}

/**
 * The metrics of several processes as one: values of the same metric and labels are combined by the metric's aggregator.
 * What says `omit` has no meaning for several processes; of a single one it is kept.
 */
export function mergeFamilies(processes: readonly MetricFamily[][]): MetricFamily[] {
  const [only] = processes
  if (only && processes.length === 1) return only
  const byName = Map.groupBy(processes.flat(), ({ name }) => name)
  return [...byName.values()].flatMap((parts) => {
    const { name, type, help, aggregator } = parts[0]!
    if (aggregator === 'omit') return []
    const bySeries = Map.groupBy(
      parts.flatMap(({ values }) => values),
      series,
    )
    const values = [...bySeries.values()].map((samples) => ({
      ...samples[0]!,
      value: COMBINE[aggregator](samples.map(({ value }) => value)),
    }))
    return [{ name, type, help, aggregator, values }]
  })
}

/**
 * What stays counted when a process is gone: counters and histograms. Without it the sum over all processes would fall,
 * Prometheus would take the fall for a restart, and count everything a second time.
 */
export function lastingFamilies(families: readonly MetricFamily[]): MetricFamily[] {
  return families.filter(({ type, aggregator }) => (type === 'counter' || type === 'histogram') && aggregator === 'sum')
}

function series({ metricName = '', labels }: Sample): string {
  const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([metricName, sorted])
}
