import { family, type MetricDefinition, type MetricSource } from './families.ts'

const build: MetricDefinition = {
  name: 'headrace_build_info',
  type: 'gauge',
  help: 'Always 1; the labels say which release runs, and on which Node',
  labels: ['version', 'node'],
  aggregator: 'first',
}

const processes: MetricDefinition = {
  name: 'headrace_processes',
  type: 'gauge',
  help: 'Data-plane processes that answered this scrape',
  labels: [],
}

/** What a process says of itself, beside the default metrics of Node. */
export function processMetrics(version: string): MetricSource {
  return {
    definitions: [build, processes],
    collect: () => [
      family(build, [{ labels: { version, node: process.version }, value: 1 }]),
      family(processes, [{ labels: {}, value: 1 }]),
    ],
  }
}
