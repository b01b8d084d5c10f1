import type { MetricFamily, Sample } from '../services/monitor/families.ts'

export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/**
 * Metrics in Prometheus' text format 0.0.4. Metrics without a value are left out.
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function toExposition(families: readonly MetricFamily[]): string {
  const lines: string[] = []
  for (const { name, type, help, values } of families) {
    if (values.length === 0) continue
    lines.push(`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${type}`)
    for (const sample of values) lines.push(`${sample.metricName ?? name}${labelsOf(sample)} ${numberOf(sample.value)}`)
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

function labelsOf({ labels }: Sample): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(String(value))}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function numberOf(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value)
}

const escapeHelp = (text: string): string => text.replaceAll('\\', String.raw`\\`).replaceAll('\n', String.raw`\n`)
const escapeLabel = (text: string): string => escapeHelp(text).replaceAll('"', String.raw`\"`)
