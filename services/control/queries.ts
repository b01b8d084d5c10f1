import { lastingFamilies, mergeFamilies, type MetricFamily } from '../monitor/families.ts'
import { assessHealth, type HealthReport } from '../monitor/health.ts'
import { mergeTargets, type PoolReport, reportPool } from '../monitor/pools.ts'
import { type ProcessReport, readSystem } from '../monitor/process.ts'
import { mergeReadiness, type Readiness } from '../monitor/readiness.ts'
import type { TargetSnapshot } from '../upstream/snapshot.ts'
import type { ListenerAddress } from '../listener/listener.ts'
import type { LogLevel } from './commands.ts'
import type { MissingProcess } from './control.ts'

/**
 * Every query: its arguments, the part that one process answers, and the result that the merge rule makes of all parts.
 * All are cloneable.
 */
export interface ControlQueries {
  /** Whether requests should be sent here. Targets that are not known to be up are probed first. */
  readiness: { args: undefined; part: Readiness; result: Readiness }
  health: { args: undefined; part: ProcessReport; result: HealthReport }
  pools: { args: undefined; part: TargetSnapshot[]; result: PoolReport[] }
  metrics: { args: undefined; part: MetricFamily[]; result: MetricFamily[] }
  /** The public listeners' addresses; all processes share them. */
  addresses: { args: undefined; part: ListenerAddress[]; result: ListenerAddress[] }
  /** The level in force; where processes differ, the most talkative. */
  'log-level': { args: undefined; part: LogLevel; result: LogLevel }
}
export type QueryName = keyof ControlQueries

export interface QueryRule<Part, Result> {
  /** @param parts of the processes that answered, at least one */
  merge: (parts: readonly Part[], missing: readonly MissingProcess[]) => Result
  /** What of a process's last answer stays in the result after the process is gone. */
  lasting?: (part: Part) => Part
}

/** The merge rule of each query. */
export const QUERIES: { [Q in QueryName]: QueryRule<ControlQueries[Q]['part'], ControlQueries[Q]['result']> } = {
  readiness: { merge: mergeReadiness },
  health: { merge: (parts, missing) => assessHealth(parts, [...missing], readSystem()) },
  pools: { merge: (parts) => mergeTargets(parts).map(reportPool) },
  metrics: { merge: mergeFamilies, lasting: lastingFamilies },
  addresses: { merge: ([first]) => first ?? [] },
  'log-level': { merge: (levels) => LEVELS.find((level) => levels.includes(level)) ?? 'silent' },
}

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const satisfies LogLevel[]
