import type { ConfigReport } from '../configuration/report.ts'
import { family, type MetricDefinition, type MetricSource } from './families.ts'

const version: MetricDefinition = {
  name: 'headrace_config_version',
  type: 'gauge',
  help: 'Configurations in force since the start, counted from 1',
  labels: [],
  aggregator: 'max',
}

const loadedAt: MetricDefinition = {
  name: 'headrace_config_loaded_timestamp_seconds',
  type: 'gauge',
  help: 'When the configuration in force was loaded, in seconds since 1970',
  labels: [],
  aggregator: 'max',
}

const reloads: MetricDefinition = {
  name: 'headrace_config_reloads_total',
  type: 'counter',
  help: 'Reloads of the configuration: succeeded (where nothing had changed, too) or failed, which left the old one in force',
  labels: ['result'],
}

const failing: MetricDefinition = {
  name: 'headrace_config_last_reload_failed',
  type: 'gauge',
  help: '1 while the last reload or rolling restart is one that failed: the file is not what runs',
  labels: [],
  aggregator: 'max',
}

const restarts: MetricDefinition = {
  name: 'headrace_process_restarts_total',
  type: 'counter',
  help: 'Data-plane processes that ended by themselves and were started again; those of a reload are none',
  labels: [],
}

/** The configuration and the processes, as whoever holds them sees them; asked when someone asks. */
export function configurationMetrics(
  read: () => Pick<ConfigReport, 'version' | 'loadedAt' | 'reloads' | 'lastFailure'>,
  restarted: () => number = () => 0,
): MetricSource {
  const one = (definition: MetricDefinition, value: number) => family(definition, [{ labels: {}, value }])
  return {
    definitions: [version, loadedAt, reloads, failing, restarts],
    collect() {
      const report = read()
      return [
        one(version, report.version),
        one(loadedAt, report.loadedAt / 1000),
        family(reloads, [
          { labels: { result: 'succeeded' }, value: report.reloads.succeeded },
          { labels: { result: 'failed' }, value: report.reloads.failed },
        ]),
        one(failing, report.lastFailure === null ? 0 : 1),
        one(restarts, restarted()),
      ]
    },
  }
}
