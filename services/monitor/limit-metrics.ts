import type { LimitReport } from '../limit/report.ts'
import { family, type MetricDefinition, type MetricSource } from './families.ts'

const requests: MetricDefinition = {
  name: 'headrace_rate_limit_requests_total',
  type: 'counter',
  help: 'Requests that met a limit, by what became of them: allowed, limited (429), would_limit (a dry run), exempt (its allowList). A request that several limits hold for counts with each',
  labels: ['limit', 'outcome'],
}
const keys: MetricDefinition = {
  name: 'headrace_rate_limit_keys',
  type: 'gauge',
  help: 'Clients, or whatever the limit goes by, that have used some of it and have not got it all back; with shared limits, those that a process knows',
  labels: ['limit'],
  aggregator: 'max',
}
const ready: MetricDefinition = {
  name: 'headrace_rate_limit_ledger_ready',
  type: 'gauge',
  help: 'Whether what processes or machines share can be asked for: 1 yes, 0 no, and each decides by itself meanwhile; absent where nothing is shared',
  labels: ['ledger'],
  aggregator: 'min',
}
const errands: MetricDefinition = {
  name: 'headrace_rate_limit_ledger_requests_total',
  type: 'counter',
  help: 'Questions to whoever keeps shared limits (units to borrow, units used), by whether they were answered: done, failed',
  labels: ['ledger', 'outcome'],
}
const alone: MetricDefinition = {
  name: 'headrace_rate_limit_alone_total',
  type: 'counter',
  help: 'Decisions on shared limits that a process made by itself, because whoever keeps them was away or did not answer within 50 ms',
  labels: ['ledger'],
}

/** What rate limits have done, read when someone asks. */
export function limitMetrics(read: () => LimitReport): MetricSource {
  return {
    definitions: [requests, keys, ready, errands, alone],
    collect() {
      const { limits, shared } = read()
      const outcomes = limits.flatMap(({ name, allowed, limited, wouldLimit, exempt }) =>
        Object.entries({ allowed, limited, would_limit: wouldLimit, exempt }).map(([outcome, value]) => ({
          labels: { limit: name, outcome },
          value,
        })),
      )
      const ledger = shared?.ledger ?? ''
      const of = (value: number) => (shared === null ? [] : [{ labels: { ledger }, value }])
      const answered = Object.entries({ done: shared?.done ?? 0, failed: shared?.failed ?? 0 })
      return [
        family(requests, outcomes),
        family(
          keys,
          limits.map((limit) => ({ labels: { limit: limit.name }, value: limit.keys })),
        ),
        family(ready, of(shared?.ready === true ? 1 : 0)),
        family(
          errands,
          shared === null ? [] : answered.map(([outcome, value]) => ({ labels: { ledger, outcome }, value })),
        ),
        family(alone, of(shared?.alone ?? 0)),
      ]
    },
  }
}
