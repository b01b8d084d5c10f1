import { Histogram } from '../services/monitor/histogram.ts'
import { type Outcome, OUTCOMES, type TargetSnapshot } from '../services/upstream/snapshot.ts'

const NOTHING = Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 0])) as TargetSnapshot['outcomes']

const NO_RETRIES: TargetSnapshot['retries'] = { stale: 0, connect: 0, reset: 0, timeout: 0, status: 0, hedge: 0 }

/** A target as an upstream would show it, up and unused unless said otherwise. `latenciesMs` fill its histograms, by outcome. */
export function targetSnapshot(
  parts: Partial<Omit<TargetSnapshot, 'outcomes' | 'retries' | 'latency'>> & {
    retries?: Partial<TargetSnapshot['retries']>
    outcomes?: Partial<TargetSnapshot['outcomes']>
    latenciesMs?: Partial<Record<Outcome, number[]>>
  } = {},
): TargetSnapshot {
  const { outcomes, retries, latenciesMs = {}, ...rest } = parts
  const latency = Object.entries(latenciesMs).map(([outcome, durations]) => {
    const histogram = new Histogram()
    for (const ms of durations) histogram.record(ms)
    return [outcome, histogram.snapshot()]
  })
  return {
    upstream: 'fleet',
    target: 'http://127.0.0.1:4001',
    required: true,
    state: 'up',
    weight: 1,
    connections: { limit: 100, connected: 4, free: 3, running: 1, pending: 0, queued: 0 },
    retriesDenied: 0,
    lastError: null,
    check: null,
    breaker: null,
    concurrency: null,
    ejections: { count: 0, now: null },
    ...rest,
    retries: { ...NO_RETRIES, ...retries },
    outcomes: { ...NOTHING, ...outcomes },
    latency: Object.fromEntries(latency) as TargetSnapshot['latency'],
  }
}
