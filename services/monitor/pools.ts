import { BLAMELESS, OUTCOMES, type Outcome, RETRY_REASONS, type TargetSnapshot } from '../upstream/snapshot.ts'
import { Histogram, type HistogramSnapshot } from './histogram.ts'

/** One upstream target for people: the answer of `GET /performance/pools`. */
export interface PoolReport {
  upstream: string
  target: string
  required: boolean
  state: TargetSnapshot['state']
  weight: number
  connections: TargetSnapshot['connections']
  attempts: number
  /** Attempts that brought no complete response, without those that the client gave up. */
  errors: number
  outcomes: TargetSnapshot['outcomes']
  retries: TargetSnapshot['retries']
  retriesDenied: number
  lastError: TargetSnapshot['lastError']
  check: TargetSnapshot['check']
  breaker: TargetSnapshot['breaker']
  concurrency: TargetSnapshot['concurrency']
  ejections: TargetSnapshot['ejections']
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

/** Attempts that are no errors: complete, or no doing of the target's. */
const NO_ERRORS: readonly Outcome[] = ['response', ...BLAMELESS]

/** Of what several processes say of one target, the first of these that any says. */
const MERGED = [
  'draining',
  'unhealthy',
  'open',
  'ejected',
  'up',
  'down',
  'unknown',
] as const satisfies TargetSnapshot['state'][]

const WORST_FIRST = ['open', 'half-open', 'closed'] as const

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
    state: MERGED.find((state) => states.includes(state)) ?? 'unknown',
    weight: sum(({ weight }) => weight) / views.length,
    connections: {
      limit: sum((view) => view.connections.limit),
      connected: sum((view) => view.connections.connected),
      free: sum((view) => view.connections.free),
      running: sum((view) => view.connections.running),
      pending: sum((view) => view.connections.pending),
      queued: sum((view) => view.connections.queued),
    },
    outcomes: Object.fromEntries(outcomes) as TargetSnapshot['outcomes'],
    retries: Object.fromEntries(
      RETRY_REASONS.map((reason) => [reason, sum(({ retries }) => retries[reason])]),
    ) as TargetSnapshot['retries'],
    retriesDenied: sum(({ retriesDenied }) => retriesDenied),
    lastError: latest(
      views.map(({ lastError }) => lastError),
      ({ at }) => at,
    ),
    check: mergeChecks(views.map(({ check }) => check)),
    breaker: mergeBreakers(views.map(({ breaker }) => breaker)),
    concurrency: mergeConcurrency(views.map(({ concurrency }) => concurrency)),
    ejections: {
      count: sum(({ ejections }) => ejections.count),
      now: latest(
        views.map(({ ejections }) => ejections.now),
        ({ until }) => until,
      ),
    },
    latency: mergeLatency(views.map(({ latency }) => latency)),
  }
}

function mergeChecks(views: TargetSnapshot['check'][]): TargetSnapshot['check'] {
  const checks = views.filter((check) => check !== null)
  if (checks.length === 0) return null
  return {
    passed: checks.reduce((total, { passed }) => total + passed, 0),
    failed: checks.reduce((total, { failed }) => total + failed, 0),
    last: latest(
      checks.map(({ last }) => last),
      ({ at }) => at,
    ),
  }
}

function mergeBreakers(views: TargetSnapshot['breaker'][]): TargetSnapshot['breaker'] {
  const breakers = views.filter((breaker) => breaker !== null)
  const state = WORST_FIRST.find((wanted) => breakers.some((breaker) => breaker.state === wanted))
  return state === undefined ? null : { state, opened: breakers.reduce((total, { opened }) => total + opened, 0) }
}

function mergeConcurrency(views: TargetSnapshot['concurrency'][]): TargetSnapshot['concurrency'] {
  const limits = views.filter((view) => view !== null)
  if (limits.length === 0) return null
  const known = limits.flatMap(({ unloadedMs }) => unloadedMs ?? [])
  return {
    limit: limits.reduce((total, { limit }) => total + limit, 0),
    inFlight: limits.reduce((total, { inFlight }) => total + inFlight, 0),
    waiting: limits.reduce((total, { waiting }) => total + waiting, 0),
    refused: limits.reduce((total, { refused }) => total + refused, 0),
    unloadedMs: known.length === 0 ? null : Math.min(...known),
  }
}

/** The one with the highest time, of those that are there. */
function latest<T>(views: readonly (T | null)[], time: (view: T) => number): T | null {
  return views.reduce((found, view) => (view && (!found || time(view) > time(found)) ? view : found), null)
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
  const { outcomes, latency, ...same } = snapshot
  const count = (wanted: readonly Outcome[]): number => wanted.reduce((total, outcome) => total + outcomes[outcome], 0)
  const attempts = count(OUTCOMES)
  return {
    ...same,
    attempts,
    errors: attempts - count(NO_ERRORS),
    outcomes,
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
