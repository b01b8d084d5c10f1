import { Access } from '../access/access.ts'
import { ownLink } from '../access/machines.ts'
import type { AccessOptions } from '../access/options.ts'
import type { CacheContext } from '../cache/context.ts'
import type { CacheCounters } from '../cache/counters.ts'
import type { CacheOptions } from '../cache/options.ts'
import { PassMemory } from '../cache/pass-memory.ts'
import { SearchVariations } from '../cache/search-variations.ts'
import { createSecondTier, type SecondTier } from '../cache/second-tier.ts'
import { createMemory } from '../cache/storage.ts'
import { PurgeLog } from '../cache/store/purge-log.ts'
import type { ForwardedOptions } from '../downstream/options.ts'
import { Shared } from '../lifetime/shared.ts'
import { type AskForLoans, createLimitStore, sharingOf, type StoreParts } from '../limit/create-store.ts'
import { Limits, type LimitSettings } from '../limit/limits.ts'
import type { LimitStore } from '../limit/limit-store.ts'
import { Maintenance } from '../maintenance/maintenance.ts'
import type { MaintenanceOptions } from '../maintenance/options.ts'
import { MirrorCounters } from '../mirror/counters.ts'
import { InternalErrors } from '../monitor/internal-errors.ts'
import { NodeMetrics } from '../monitor/node-metrics.ts'
import { Traffic } from '../monitor/traffic.ts'
import { KnownSpecifications } from '../openapi/known-specifications.ts'
import type { Load } from '../pressure/load.ts'
import type { PressureOptions } from '../pressure/options.ts'
import type { Pressure } from '../pressure/pressure.ts'
import { samplePressure } from '../pressure/sampled-pressure.ts'
import type { RedisLink } from '../redis/link.ts'
import type { RedisOptions } from '../redis/options.ts'
import type { RouteOptions } from '../routing/options.ts'
import { SplitCounters } from '../split/counters.ts'
import { type HookFailure, logHookFailure } from '../transform/hook-log.ts'
import type { UpstreamOptions } from '../upstream/options.ts'
import { Upstreams } from '../upstream/upstreams.ts'
import { logDisagreement } from '../validation/log.ts'
import { ValidationRecord } from '../validation/record.ts'
import { WebSocketCounters } from '../websocket/counters.ts'
import type { Lane } from './lane.ts'

type Log = Parameters<typeof createSecondTier>[2] & ConstructorParameters<typeof InternalErrors>[0]

/** The parts of the configuration that decide what a gateway may go on with. */
export interface GatewayStateSettings extends LimitSettings {
  upstreams: readonly UpstreamOptions[]
  routes: readonly RouteOptions[]
  access: AccessOptions
  cache: CacheOptions
  redis: RedisOptions | null
  forwarded: ForwardedOptions
  maintenance: MaintenanceOptions
  metrics: boolean
  processes: number
  pressure: PressureOptions | null
}

export interface GatewayStateParts {
  log: Log
  previous: GatewayState | null
  loans: AskForLoans
  specifications?: KnownSpecifications | null
}

/** Where the cache keeps things. What it knows is the same under any routes: their policies are part of its keys. */
interface CacheBase {
  memory: Pick<CacheContext, 'store' | 'purges' | 'passes' | 'variations'>
  second: SecondTier | null
}

/**
 * What a gateway gathers while it runs, and hands on to the one that takes its place in the same process: connections and
 * counters of upstreams that stay as they are, and their documents, the cache and its second tier where its settings do,
 * and what has been counted by route.
 */
export class GatewayState {
  readonly upstreams: Upstreams
  readonly specifications: KnownSpecifications
  readonly traffic: Traffic | null
  readonly splits: SplitCounters
  readonly mirrors: MirrorCounters
  /** With what was said of it at run time. */
  readonly maintenance: Maintenance
  readonly internalErrors: InternalErrors
  readonly nodeMetrics: NodeMetrics
  /** Who may call. */
  readonly access: Access
  readonly webSockets: WebSocketCounters
  readonly limits: Limits
  /** What is under way in all gateways of the process. */
  readonly load: Load
  readonly validations: ValidationRecord
  /** Told of what the user's own code fails on. */
  readonly hookFailed: (failure: HookFailure) => void
  /** What the cache has done on the routes that the gateway before this one had, too. */
  readonly cacheCounters: ReadonlyMap<string, CacheCounters>
  /** How connections that are open are known, where the same proxies are trusted as before. */
  readonly peers: symbol | undefined
  readonly #settings: GatewayStateSettings
  readonly #cache: Shared<CacheBase>
  readonly #limitStore: Shared<LimitStore>
  readonly #pressure: Shared<Pressure> | null
  /** To Redis, where the cache has none that access could use. */
  #accessLink: RedisLink | null = null
  #lane: Lane | undefined
  #released = false

  /**
   * @param previous of the gateway whose place is taken; it stays usable
   * @param specifications what other processes know of upstreams, where there is no such gateway. By default, nothing
   * @throws HR_ACCESS_CONSUMERS_FILE, HR_ACCESS_CONSUMER_CONFLICT, HR_MAINTENANCE_ALLOW, HR_REDIS_TLS_FILE, HR_UPSTREAM_TLS,
   *   HR_RATE_*; nothing is held then
   */
  constructor(settings: GatewayStateSettings, { log, previous, loans, specifications = null }: GatewayStateParts) {
    this.#settings = settings
    this.maintenance = new Maintenance(settings.maintenance, settings.routes, previous?.maintenance ?? null)
    const before = previous === null ? null : { settings: previous.#settings, lane: previous.#lane }
    const isSame = before !== null && cacheSettings(before.settings) === cacheSettings(settings)
    const created = isSame ? null : createBase(settings, log)
    const sharesLimits = before !== null && sharingOf(before.settings) === sharingOf(settings)
    let limitStore: Shared<LimitStore> | null = null
    let access: Access | null = null
    try {
      limitStore = sharesLimits ? (previous as GatewayState).#limitStore.share() : heldStore(settings, { loans, log })
      this.limits = new Limits(settings, limitStore.value, log)
      const second = (created ?? (previous as GatewayState).#cache).value.second
      this.#accessLink = ownLink(settings, second?.link ?? null)
      this.access = access = new Access(settings.access, settings.routes, {
        log,
        tiers: settings.tiers.map(({ name }) => name),
        previous: previous?.access ?? null,
        machines: { link: second?.link ?? this.#accessLink, prefix: settings.redis?.prefix ?? '' },
      })
      this.upstreams = new Upstreams(settings.upstreams, { previous: previous?.upstreams ?? null })
    } catch (error) {
      access?.close()
      void limitStore?.release()
      void created?.release()
      this.#accessLink?.close()
      throw error
    }
    this.#limitStore = limitStore
    this.#cache = created ?? (previous as GatewayState).#cache.share()
    this.specifications = new KnownSpecifications(settings.upstreams, previous?.specifications ?? specifications)
    this.traffic = settings.metrics ? (previous?.traffic ?? new Traffic()) : null
    this.splits = previous?.splits ?? new SplitCounters()
    this.mirrors = previous?.mirrors ?? new MirrorCounters()
    this.validations = previous?.validations ?? new ValidationRecord((told) => logDisagreement(log, told))
    this.hookFailed = (failure) => logHookFailure(log, failure)
    this.webSockets = previous?.webSockets ?? new WebSocketCounters()
    this.internalErrors = previous?.internalErrors ?? new InternalErrors(log)
    this.nodeMetrics = previous?.nodeMetrics ?? new NodeMetrics()
    this.load = previous?.load ?? { inFlight: 0 }
    this.#pressure = samplePressure(settings.pressure, {
      previous: previous === null ? null : previous.#pressure,
      load: this.load,
    })
    const counted = (before?.lane?.plans ?? []).flatMap(({ key, cache }) => (cache === null ? [] : [{ key, cache }]))
    this.cacheCounters = new Map(counted.map(({ key, cache }) => [key, cache.counters]))
    const isTrusting = JSON.stringify(before?.settings.forwarded) === JSON.stringify(settings.forwarded)
    this.peers = isTrusting ? before?.lane?.peers : undefined
  }

  /** What a lane is to go on with. */
  get cacheParts(): CacheBase['memory'] {
    return this.#cache.value.memory
  }

  get second(): SecondTier | null {
    return this.#cache.value.second
  }

  /** What there is room for; `null` where nothing is turned away. */
  get pressure(): Pressure | null {
    return this.#pressure?.value ?? null
  }

  /** The lane is made: what it has is what the next one goes on with. */
  use(lane: Lane): void {
    this.#lane = lane
    this.access.start()
  }

  /** What nobody else goes on with is closed. The second time does nothing. */
  async release(): Promise<void> {
    if (this.#released) return
    this.#released = true
    this.access.close()
    await this.#pressure?.release()
    this.#accessLink?.close()
    await this.upstreams.close()
    await this.#cache.release()
    await this.limits.release()
    await this.#limitStore.release()
  }
}

/** What the cache is made by; the same text for the same settings. */
function cacheSettings({ routes, cache, redis }: GatewayStateSettings): string {
  const { memory, disk, redis: inRedis } = cache
  return JSON.stringify([isCached(routes), memory, disk, inRedis, redis])
}

function heldStore(settings: GatewayStateSettings, parts: StoreParts): Shared<LimitStore> {
  return new Shared(createLimitStore(settings, parts), (store) => store.close())
}

const isCached = (routes: readonly RouteOptions[]): boolean => routes.some(({ cache }) => cache !== null)

function createBase({ routes, cache, redis }: GatewayStateSettings, log: Log): Shared<CacheBase> {
  const memory = {
    store: createMemory(cache.memory),
    purges: new PurgeLog(),
    passes: new PassMemory(),
    variations: new SearchVariations(),
  }
  // Without a cached route only code of the user's keeps something: a file would be made for nothing, as a rule.
  const second = redis !== null || isCached(routes) ? createSecondTier(cache, redis, log) : null
  second?.follow({ ...memory, tier: second.tier })
  return new Shared({ memory, second }, async () => {
    await second?.close()
    second?.link?.close()
  })
}
