import { OUTCOMES, type Outcome, type TargetSnapshot } from '../upstream/snapshot.ts'
import { Histogram, type HistogramSnapshot } from './histogram.ts'

/** One upstream target for people: the answer of `GET /performance/pools`. */
export interface PoolReport {
  upstream: string
  target: string
  required: boolean
  state: TargetSnapshot['state']
  connections: TargetSnapshot['connections']
  attempts: number
  /** Attempts that brought no complete response, without those that the client gave up. */
  errors: number
  outcomes: TargetSnapshot['outcomes']
  retries: number
  lastError: TargetSnapshot['lastError']
  /** By how attempts ended: from sending to the response head, or to how else they ended; what did not occur is not there. */
  latency: Partial<Record<Outcome, LatencyReport>>
}

/** What a histogram says, in milliseconds. */
export interface LatencyReport {
  count: number
  meanMs: number
  p50Ms: number
  p90Ms: number
  p99Ms: number
  maxMs: number
}

/** Not the upstream's doing, or not an error. */
const BLAMELESS: readonly Outcome[] = ['response', 'client_abort']

/** One snapshot a target of what several processes saw: numbers added, the last error of all, `up` where any could connect. */
export function mergeTargets(processes: readonly TargetSnapshot[][]): TargetSnapshot[] {
  const byTarget = Map.groupBy(processes.flat(), ({ upstream, target }) => JSON.stringify([upstream, target]))
  return [...byTarget.values()].map(mergeTarget)
}

function mergeTarget(views: TargetSnapshot[]): TargetSnapshot {
  const sum = (read: (view: TargetSnapshot) => number): number => views.reduce((total, view) => total + read(view), 0)
  const { upstream, target, required } = views[0]!
  const states = views.map(({ state }) => state)
  const outcomes = OUTCOMES.map((outcome) => [outcome, sum((view) => view.outcomes[outcome])])
  return {
    upstream,
    target,
    required,
    state: states.includes('up') ? 'up' : states.includes('down') ? 'down' : 'unknown',
    connections: {
      limit: sum((view) => view.connections.limit),
      connected: sum((view) => view.connections.connected),
      free: sum((view) => view.connections.free),
      running: sum((view) => view.connections.running),
      pending: sum((view) => view.connections.pending),
      queued: sum((view) => view.connections.queued),
    },
    outcomes: Object.fromEntries(outcomes) as TargetSnapshot['outcomes'],
    retries: sum((view) => view.retries),
    lastError: views.reduce<TargetSnapshot['lastError']>(
      (latest, { lastError }) => (lastError && (!latest || lastError.at > latest.at) ? lastError : latest),
      null,
    ),
    latency: mergeLatency(views.map(({ latency }) => latency)),
  }
}

function mergeLatency(views: TargetSnapshot['latency'][]): TargetSnapshot['latency'] {
  const merged: TargetSnapshot['latency'] = {}
  for (const outcome of OUTCOMES) {
    const parts = views.flatMap((latency) => latency[outcome] ?? [])
    if (parts.length > 0) merged[outcome] = Histogram.merge(parts)
  }
  return merged
}

export function reportPool(snapshot: TargetSnapshot): PoolReport {
  const { upstream, target, required, state, connections, outcomes, retries, lastError, latency } = snapshot
  const count = (wanted: readonly Outcome[]): number => wanted.reduce((total, outcome) => total + outcomes[outcome], 0)
  const attempts = count(OUTCOMES)
  return {
    upstream,
    target,
    required,
    state,
    connections,
    attempts,
    errors: attempts - count(BLAMELESS),
    outcomes,
    retries,
    lastError,
    latency: Object.fromEntries(Object.entries(latency).map(([outcome, held]) => [outcome, reportLatency(held)])),
  }
}

function reportLatency(latency: HistogramSnapshot): LatencyReport {
  return {
    count: latency.count,
    meanMs: rounded(latency.sumMs / latency.count),
    p50Ms: rounded(Histogram.percentileOf(latency, 0.5)),
    p90Ms: rounded(Histogram.percentileOf(latency, 0.9)),
    p99Ms: rounded(Histogram.percentileOf(latency, 0.99)),
    maxMs: rounded(latency.maxMs),
  }
}

/** To 0.01 ms: more digits would claim a precision that the buckets do not have. */
function rounded(ms: number): number {
  return Math.round(ms * 100) / 100
}
