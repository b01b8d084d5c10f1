import type { Config } from '../config/config.ts'
import { createRecoder } from '../services/compression/recoder.ts'
import { createLane, type LaneParts } from '../services/lane/create-lane.ts'
import type { GatewayState } from '../services/lane/gateway-state.ts'
import type { Lane } from '../services/lane/lane.ts'
import type { ServedDocuments } from '../services/openapi/served-documents.ts'
import { loadHooks } from '../services/transform/hooks.ts'
import type { WorkerPool } from '../services/workers/worker-pool.ts'
import { gateMakers } from './gate-makers.ts'

export interface LaneSurroundings extends Pick<LaneParts, 'own' | 'ownGuard' | 'draining'> {
  workers: WorkerPool
  documents: ServedDocuments
  /** Told of every request that is over. */
  finished: LaneParts['finished']
}

/**
 * The lane that the configuration asks for, going on with what is kept.
 *
 * @throws HR_ROUTE_*, HR_UPSTREAM_UNKNOWN, HR_FORWARDED_TRUST, HR_TRANSFORM_HOOK_SOURCE, HR_ACCESS_WAY, HR_RATE_UNKNOWN
 */
export async function laneOver(state: GatewayState, config: Config, surroundings: LaneSurroundings): Promise<Lane> {
  const { workers, finished, ...others } = surroundings
  const { access, limits, pressure } = state
  const lane = createLane({
    ...config,
    ...others,
    upstreams: state.upstreams,
    traffic: state.traffic,
    internalErrors: state.internalErrors,
    gates: gateMakers({ access, limits, pressure }),
    reserved: access.reserved,
    finished: [...finished, access.finished],
    load: state.load,
    tier: state.second?.tier ?? null,
    cacheParts: state.cacheParts,
    cacheCounters: state.cacheCounters,
    recode: createRecoder(workers),
    hooks: await loadHooks(config.routes),
    hookFailed: state.hookFailed,
    maintained: state.maintenance,
    validations: state.validations,
    splits: state.splits,
    mirrors: state.mirrors,
    webSockets: state.webSockets,
    ...(state.peers && { peers: state.peers }),
  })
  state.use(lane)
  return lane
}
