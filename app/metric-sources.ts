import type { GatewayState } from '../services/lane/gateway-state.ts'
import type { Lane } from '../services/lane/lane.ts'
import { accessMetrics } from '../services/monitor/access-metrics.ts'
import { cacheMetrics } from '../services/monitor/cache-metrics.ts'
import { cacheTierMetrics } from '../services/monitor/cache-tier-metrics.ts'
import type { MetricSource } from '../services/monitor/families.ts'
import { limitMetrics } from '../services/monitor/limit-metrics.ts'
import { maintenanceMetrics } from '../services/monitor/maintenance-metrics.ts'
import { mirrorMetrics } from '../services/monitor/mirror-metrics.ts'
import { pressureMetrics } from '../services/monitor/pressure-metrics.ts'
import { splitMetrics } from '../services/monitor/split-metrics.ts'
import { tokenMetrics } from '../services/monitor/token-metrics.ts'
import { trafficMetrics } from '../services/monitor/traffic-metrics.ts'
import { upstreamMetrics } from '../services/monitor/upstream-metrics.ts'
import { validationMetrics } from '../services/monitor/validation-metrics.ts'
import { webSocketMetrics } from '../services/monitor/websocket-metrics.ts'
import { workerMetrics } from '../services/monitor/worker-metrics.ts'
import type { Traffic } from '../services/monitor/traffic.ts'
import type { WorkerPool } from '../services/workers/worker-pool.ts'

export interface MeasuredParts {
  traffic: Traffic
  state: GatewayState
  lane: Lane
  workers: WorkerPool
}

/** All that the data plane measures; read when somebody asks, and not before. */
export function metricSources({ traffic, state, lane, workers }: MeasuredParts): MetricSource[] {
  const { second, pressure } = state
  return [
    trafficMetrics(traffic),
    cacheMetrics(lane.cache, lane.plans),
    cacheTierMetrics(() => second?.report() ?? null),
    webSocketMetrics(state.webSockets),
    workerMetrics(workers),
    upstreamMetrics(state.upstreams),
    maintenanceMetrics(() => state.maintenance.report()),
    pressureMetrics(() => pressure?.report() ?? null),
    splitMetrics(state.splits),
    mirrorMetrics(state.mirrors),
    accessMetrics(() => state.access.counters.counts()),
    tokenMetrics(state.access),
    limitMetrics(() => state.limits.report()),
    validationMetrics(state.validations),
    state.internalErrors,
  ]
}
