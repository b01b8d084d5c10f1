import type { Config } from '../config/config.ts'
import { createRecoder } from '../services/compression/recoder.ts'
import { createLane, type LaneParts } from '../services/lane/create-lane.ts'
import type { Kept } from '../services/lane/kept.ts'
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
export async function laneOver(kept: Kept, config: Config, surroundings: LaneSurroundings): Promise<Lane> {
  const { workers, finished, ...others } = surroundings
  const { access, limits, pressure } = kept
  const lane = createLane({
    ...config,
    ...others,
    upstreams: kept.upstreams,
    traffic: kept.traffic,
    internalErrors: kept.internalErrors,
    gates: gateMakers({ access, limits, pressure }),
    reserved: access.reserved,
    finished: [...finished, access.finished],
    load: kept.load,
    tier: kept.second?.tier ?? null,
    cacheParts: kept.cacheParts,
    cacheCounters: kept.cacheCounters,
    recode: createRecoder(workers),
    hooks: await loadHooks(config.routes),
    maintained: kept.maintenance,
    validations: kept.validations,
    splits: kept.splits,
    mirrors: kept.mirrors,
    webSockets: kept.webSockets,
    ...(kept.peers && { peers: kept.peers }),
  })
  kept.use(lane)
  return lane
}
