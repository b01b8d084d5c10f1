import type { PressureReport } from '../pressure/report.ts'
import { REASONS } from '../pressure/readings.ts'
import { family, type MetricDefinition, type MetricSource } from './families.ts'

const CLASS = ['priority', 'caller'] as const

const level: MetricDefinition = {
  name: 'headrace_pressure_level',
  type: 'gauge',
  help: 'Share of the requests that is turned away for want of room: 0 none, 1 all but critical ones; of several processes the highest. One that stays above 0 wants more processes',
  labels: [],
  aggregator: 'max',
}

const shed: MetricDefinition = {
  name: 'headrace_pressure_shed_total',
  type: 'counter',
  help: 'Requests that were answered 503 for want of room, by the priority of route or caller, by whether the caller was known, and by why; only those that occurred',
  labels: [...CLASS, 'reason'],
}

const admitted: MetricDefinition = {
  name: 'headrace_pressure_admitted_total',
  type: 'counter',
  help: 'Requests that there was room for; answers from memory past node:http are not among them',
  labels: CLASS,
}

/** What there is room for, read when someone asks. */
export function pressureMetrics(read: () => PressureReport | null): MetricSource {
  return {
    definitions: [level, shed, admitted],
    collect() {
      const report = read()
      if (report === null) return []
      const classes = report.classes.map((one) => ({
        one,
        labels: { priority: one.priority, caller: one.anonymous ? 'anonymous' : 'known' },
      }))
      return [
        family(level, [{ labels: {}, value: report.level }]),
        family(
          shed,
          classes.flatMap(({ one, labels }) =>
            REASONS.filter((reason) => one.shed[reason] > 0).map((reason) => ({
              labels: { ...labels, reason },
              value: one.shed[reason],
            })),
          ),
        ),
        family(
          admitted,
          classes.map(({ one, labels }) => ({ labels, value: one.admitted })),
        ),
      ]
    },
  }
}
