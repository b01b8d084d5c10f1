import type { Taken } from '../access/hmac/replay-memory.ts'
import { type ConsumersReport, mergeConsumers } from '../access/report.ts'
import { type EntryReport, mergeEntries } from '../cache/entry-report.ts'
import { type CacheReport, type CacheState, lastingCache, mergeCaches } from '../cache/report.ts'
import { mergeWarmProgress, type WarmProgress } from '../cache/warm.ts'
import type { ConfigPreview, ConfigReport } from '../configuration/report.ts'
import type { Loans } from '../limit/control-ledger.ts'
import type { LoanRequest } from '../limit/lending.ts'
import { type LimitReport, mergeLimits } from '../limit/report.ts'
import { type MaintenanceReport, mergeMaintenance } from '../maintenance/report.ts'
import { lastingFamilies, mergeFamilies, type MetricFamily } from '../monitor/families.ts'
import { assessHealth, type HealthReport } from '../monitor/health.ts'
import { mergeTargets, type PoolReport, reportPool } from '../monitor/pools.ts'
import { type ProcessReport, readSystem } from '../monitor/process.ts'
import { mergeReadiness, type Readiness } from '../monitor/readiness.ts'
import { lastingPressure, mergePressure, type PressureReport } from '../pressure/report.ts'
import type { KnownSpecification } from '../openapi/known-specifications.ts'
import type { TargetSnapshot } from '../upstream/snapshot.ts'
import { addOpenWork, type OpenWork } from '../listener/drain.ts'
import { type DriftReport, mergeDrift } from '../validation/drift.ts'
import type { UpstreamTargets } from '../upstream/upstreams.ts'
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
  /** The upstreams of the configuration, and what their targets are called now. */
  upstreams: { args: undefined; part: UpstreamTargets[]; result: UpstreamTargets[] }
  metrics: { args: undefined; part: MetricFamily[]; result: MetricFamily[] }
  /** The public listeners' addresses; all processes share them. */
  addresses: { args: undefined; part: ListenerAddress[]; result: ListenerAddress[] }
  /** What is open on the public listeners. */
  'open-work': { args: undefined; part: OpenWork; result: OpenWork }
  /** The level in force; where processes differ, the most talkative. */
  'log-level': { args: undefined; part: LogLevel; result: LogLevel }
  /** What the cache holds and has done. */
  cache: { args: undefined; part: CacheState; result: CacheReport }
  /** What is cached under a URL, which is canonical. */
  'cache-entry': { args: { url: string }; part: EntryReport; result: EntryReport }
  /** How far warming the cache has come. */
  'cache-warm': { args: undefined; part: WarmProgress; result: WarmProgress }
  /** How hard the processes are pressed; `null` where nothing is turned away. */
  pressure: { args: undefined; part: PressureReport | null; result: PressureReport | null }
  /** What disagrees with its specification. */
  'openapi-drift': { args: undefined; part: DriftReport; result: DriftReport }
  maintenance: { args: undefined; part: MaintenanceReport; result: MaintenanceReport }
  /** What the rate limits have done. */
  limits: { args: undefined; part: LimitReport; result: LimitReport }
  /** Units of limits that the processes share: what is lent to one of them. */
  'limit-loans': { args: { requests: readonly LoanRequest[] }; part: Loans; result: Loans }
  /** Whose turn it is to look at a source of keys for an unknown one: 0, or milliseconds until the next. */
  'token-keys-turn': { args: { source: string }; part: number; result: number }
  /** Whether a signed request, by what identifies it, is accepted for the first time in any process. */
  'signature-take': { args: { id: string }; part: Taken; result: Taken }
  /** What upstreams said of themselves last. */
  'openapi-documents': { args: undefined; part: KnownSpecification[]; result: KnownSpecification[] }
  /** Who may call, and who does. */
  consumers: { args: undefined; part: ConsumersReport; result: ConsumersReport }
  /** The configuration in force. */
  config: { args: undefined; part: ConfigReport; result: ConfigReport }
  /** What a reload would change. */
  'config-preview': { args: undefined; part: ConfigPreview; result: ConfigPreview }
}
export type QueryName = keyof ControlQueries

export interface QueryRule<Part, Result> {
  /** @param parts of the processes that answered, at least one */
  merge: (parts: readonly Part[], missing: readonly MissingProcess[]) => Result
  /** What of a process's last answer stays in the result after the process is gone. */
  lasting?: (part: Part) => Part
  /** Answered by whoever holds the configuration (the supervisor, where there is one), and by nobody else. */
  central?: boolean
}

/** The merge rule of each query. */
export const QUERIES: { [Q in QueryName]: QueryRule<ControlQueries[Q]['part'], ControlQueries[Q]['result']> } = {
  readiness: { merge: mergeReadiness },
  health: { merge: (parts, missing) => assessHealth(parts, [...missing], readSystem()) },
  pools: { merge: (parts) => mergeTargets(parts).map(reportPool) },
  upstreams: { merge: ([first]) => first ?? [] },
  metrics: { merge: mergeFamilies, lasting: lastingFamilies },
  addresses: { merge: ([first]) => first ?? [] },
  cache: { merge: mergeCaches, lasting: lastingCache },
  'cache-entry': { merge: mergeEntries },
  'cache-warm': { merge: mergeWarmProgress },
  'open-work': { merge: addOpenWork },
  pressure: { merge: mergePressure, lasting: lastingPressure },
  // What a process has seen is not unseen when it is gone.
  'openapi-drift': { merge: mergeDrift, lasting: (part) => part },
  maintenance: { merge: mergeMaintenance },
  limits: { merge: mergeLimits },
  consumers: { merge: mergeConsumers },
  'limit-loans': { merge: only, central: true },
  'token-keys-turn': { merge: only, central: true },
  'signature-take': { merge: only, central: true },
  'openapi-documents': { merge: only, central: true },
  config: { merge: only, central: true },
  'config-preview': { merge: only, central: true },
  'log-level': { merge: (levels) => LEVELS.find((level) => levels.includes(level)) ?? 'silent' },
}

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const satisfies LogLevel[]

/** Of what one alone answers. */
function only<Part>(parts: readonly Part[]): Part {
  return parts[0] as Part
}
