import type { CacheOptions } from '../cache/options.ts'
import { CacheCounters } from '../cache/counters.ts'
import { PassMemory } from '../cache/pass-memory.ts'
import { createMemory } from '../cache/storage.ts'
import type { Entry } from '../cache/store/entry.ts'
import { SearchVariations } from '../cache/search-variations.ts'
import { PurgeLog } from '../cache/store/purge-log.ts'
import type { Tier } from '../cache/store/tier.ts'
import type { SharedCompression } from '../compression/options.ts'
import type { Recode } from '../compression/recoder.ts'
import { Admission } from '../downstream/admission.ts'
import type { Exchange } from '../downstream/exchange.ts'
import { Forwarding } from '../downstream/forwarding.ts'
import type { ForwardedOptions } from '../downstream/options.ts'
import type { ReservedFields } from '../downstream/reserved-fields.ts'
import type { GateMaker } from '../gate/gate.ts'
import { Maintenance } from '../maintenance/maintenance.ts'
import type { MaintenanceOptions } from '../maintenance/options.ts'
import { MirrorCounters } from '../mirror/counters.ts'
import { ServedDocuments } from '../openapi/served-documents.ts'
import type { InternalErrors } from '../monitor/internal-errors.ts'
import type { Traffic } from '../monitor/traffic.ts'
import type { Load } from '../pressure/load.ts'
import { compilePlans } from '../proxy/compile.ts'
import { policiesAt, type RoutePlan } from '../proxy/plan.ts'
import type { RouteOptions } from '../routing/options.ts'
import { SplitCounters } from '../split/counters.ts'
import type { Upstreams } from '../upstream/upstreams.ts'
import type { HookFailure } from '../transform/hook-log.ts'
import { Hooks } from '../transform/hooks.ts'
import { ValidationRecord } from '../validation/record.ts'
import { WebSocketCounters } from '../websocket/counters.ts'
import { Tunnels } from '../websocket/tunnels.ts'
import { Lane, type LaneOptions } from './lane.ts'
import { routeGates } from './route-gates.ts'

/** What a lane is made of, as the configuration has it. */
export interface LaneParts {
  routes: readonly RouteOptions[]
  upstreams: Upstreams
  traffic: Traffic | null
  forwarded: ForwardedOptions
  limits: { bodyBytes: number; sendTimeoutMs: number }
  serverTiming: boolean
  cache: CacheOptions
  compression: SharedCompression
  /** Compresses what the cache keeps, elsewhere; without it, it stays as it was first made. */
  recode?: Recode
  maintenance: MaintenanceOptions
  /** Each makes one gate of a route that asks for it, besides {@link routeGates}. */
  gates?: readonly GateMaker<RouteOptions>[]
  /** Request fields that the gateway alone writes; by default, none. */
  reserved?: ReservedFields | null
  /** What is under way in the process; by default in this lane alone. */
  load?: Load
  /** What of it was said since; by default, nothing. */
  maintained?: Maintenance
  /** Whoever gives them starts and closes them; without, documents do not come. */
  documents?: ServedDocuments
  /** Behind the memory of the cache. */
  tier?: Tier | null
  /** Of the gateway that this one takes the place of; for tests, the clock, and stores to look into. */
  cacheParts?: Partial<LaneOptions['cache']>
  own: LaneOptions['own']
  /** What the cache has done on a route so far; by default, nothing. */
  cacheCounters?: ReadonlyMap<string, CacheCounters>
  /** Requests by side so far; by default, none. */
  splits?: SplitCounters
  /** Copies so far; by default, none. */
  mirrors?: MirrorCounters
  /** Code of the user's that routes name; by default, none is loaded. */
  hooks?: Hooks
  /** Told of each time that it fails; by default nobody is. */
  hookFailed?: (failure: HookFailure) => void
  /** What validation has found so far; by default, nothing, and it is told nobody. */
  validations?: ValidationRecord
  /** By which connections know what another lane has found out of them; by default nothing is known. */
  peers?: symbol
  /** The guard on a path that Fastify serves itself; empty for none. */
  ownGuard: (path: string) => string
  finished: readonly ((exchange: Exchange<RoutePlan>) => void)[]
  internalErrors: Pick<InternalErrors, 'record'>
  /** Of WebSocket connections; by default, of this lane alone. */
  webSockets?: WebSocketCounters
  /** WebSocket connections are to come to an end; by default never. */
  draining?: () => boolean
}

/**
 * Compiles the routes, and all that a request of theirs needs.
 *
 * @throws HR_ROUTE_*, HR_UPSTREAM_UNKNOWN, HR_FORWARDED_TRUST, HR_MAINTENANCE_ALLOW
 */
export function createLane(parts: LaneParts): Lane {
  const { upstreams, limits } = parts
  const forwarding = new Forwarding(parts.forwarded)
  const store = parts.cacheParts?.store ?? createMemory(parts.cache.memory)
  const table = compilePlans(parts.routes, {
    ...parts,
    gates: [...routeGates, ...(parts.gates ?? [])],
    splits: parts.splits ?? new SplitCounters(),
    mirrors: parts.mirrors ?? new MirrorCounters(),
    documents: parts.documents ?? new ServedDocuments((name, path, signal) => upstreams.request(name, path, signal)),
    hooks: parts.hooks ?? new Hooks(),
    hookFailed: parts.hookFailed ?? (() => undefined),
    validations: parts.validations ?? new ValidationRecord(() => undefined),
    failed: (error) => parts.internalErrors.record(error, ''),
    cacheCounters: (key) => parts.cacheCounters?.get(key) ?? new CacheCounters(),
    // What is answered whole comes from this store, if it comes from any.
    recode: parts.recode ?? null,
    charge: (prepared, bytes) => store.grow(prepared as Entry, bytes),
  })
  return new Lane({
    forwarding,
    admission: new Admission({
      forwarding,
      table,
      bodyBytes: limits.bodyBytes,
      reserved: parts.reserved ?? null,
      ownGuard: parts.ownGuard,
    }),
    plans: table.routes,
    own: parts.own,
    maintenance: parts.maintained ?? new Maintenance(parts.maintenance, parts.routes),
    ...(parts.load && { load: parts.load }),
    ...(parts.peers && { peers: parts.peers }),
    finished: parts.finished,
    internalErrors: parts.internalErrors,
    tunnels: new Tunnels({
      counters: parts.webSockets ?? new WebSocketCounters(),
      draining: parts.draining ?? (() => false),
    }),
    proxy: {
      deadlines: upstreams.deadlines,
      bodyBytes: limits.bodyBytes,
      sendTimeoutMs: limits.sendTimeoutMs,
      serverTiming: parts.serverTiming,
    },
    cache: {
      tier: parts.tier ?? null,
      purges: new PurgeLog(),
      policiesAt: (host, path) => policiesAt(table, host, path),
      passes: new PassMemory(),
      variations: new SearchVariations(),
      now: Date.now,
      ...parts.cacheParts,
      store,
    },
  })
}
