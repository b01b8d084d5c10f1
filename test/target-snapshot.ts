import { Histogram } from '../services/monitor/histogram.ts'
import { OUTCOMES, type TargetSnapshot } from '../services/upstream/snapshot.ts'

const NOTHING = Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 0])) as TargetSnapshot['outcomes']

/** A target as an upstream would show it, up and unused unless said otherwise. `latenciesMs` fill its histogram. */
export function targetSnapshot(
  parts: Partial<Omit<TargetSnapshot, 'outcomes' | 'latency'>> & {
    outcomes?: Partial<TargetSnapshot['outcomes']>
    latenciesMs?: number[]
  } = {},
): TargetSnapshot {
  const { outcomes, latenciesMs = [], ...rest } = parts
  const latency = new Histogram()
  for (const ms of latenciesMs) latency.record(ms)
  return {
    upstream: 'fleet',
    target: 'http://127.0.0.1:4001',
    required: true,
    state: 'up',
    connections: { limit: 100, connected: 4, free: 3, running: 1, pending: 0, queued: 0 },
    retries: 0,
    lastError: null,
    ...rest,
    outcomes: { ...NOTHING, ...outcomes },
    latency: latency.snapshot(),
  }
}
