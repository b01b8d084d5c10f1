import { isAbsolute, resolve } from 'node:path'
import { type AccessOptions, resolveAccess } from '../services/access/options.ts'
import { type CacheOptions, resolveCache } from '../services/cache/options.ts'
import { resolveCompression, type SharedCompression } from '../services/compression/options.ts'
import { type AdminOptions, type EndpointsOptions, resolveProcesses } from '../services/control/options.ts'
import type { ForwardedOptions } from '../services/downstream/options.ts'
import type { ReloadOptions } from '../services/configuration/options.ts'
import {
  type LimitsOptions,
  type ListenerOptions,
  resolveLimits,
  resolveListener,
} from '../services/listener/options.ts'
import {
  type LimitOptions,
  resolveLimits as resolveRateLimits,
  resolveTiers,
  type TierOptions,
} from '../services/limit/options.ts'
import type { LogOptions } from '../services/log/options.ts'
import { type MaintenanceOptions, resolveMaintenance } from '../services/maintenance/options.ts'
import { milliseconds } from '../services/options/schema.ts'
import { type PressureOptions, resolvePressure } from '../services/pressure/options.ts'
import { type RedisOptions, resolveRedis } from '../services/redis/options.ts'
import { resolveRoute, type RouteOptions } from '../services/routing/options.ts'
import { resolveUpstream, type UpstreamOptions } from '../services/upstream/options.ts'
import type { WorkersOptions } from '../services/workers/options.ts'
import type { Settings } from './schema.ts'

/** The configuration as the code takes it: plain, cloneable, frozen, units in the names, paths absolute. */
export interface Config {
  /** The file it came from, `null` without one. */
  file: string | null
  /** The folder that relative paths start from. */
  root: string
  dataDir: string
  listen: ListenerOptions[]
  limits: LimitsOptions
  /** `null` where the control plane is switched off. */
  admin: AdminOptions | null
  processes: number
  drainTimeoutMs: number
  reload: ReloadOptions
  log: LogOptions
  metrics: boolean
  serverTiming: boolean
  forwarded: ForwardedOptions
  maintenance: MaintenanceOptions
  /** Limits that routes share, by name. */
  rateLimit: Record<string, LimitOptions>
  tiers: TierOptions[]
  /** `null`: nothing is turned away. */
  pressure: PressureOptions | null
  endpoints: EndpointsOptions
  access: AccessOptions
  cache: CacheOptions
  compression: SharedCompression
  workers: WorkersOptions
  /** `null` without one. */
  redis: RedisOptions | null
  upstreams: UpstreamOptions[]
  routes: RouteOptions[]
}

/** @param settings validated, defaults filled in */
export function configOf(settings: Settings, from: { file: string | null; root: string }): Config {
  const toPath = (path: string): string => (isAbsolute(path) ? path : resolve(from.root, path))
  const listen = Array.isArray(settings.listen) ? settings.listen : [settings.listen]
  const routes = Object.entries(settings.routes).map(([key, route]) => resolveRoute(key, route, toPath))
  const upstreams = Object.entries(settings.upstreams).map(([name, upstream]) =>
    resolveUpstream(name, upstream, toPath),
  )
  return deepFreeze({
    file: from.file,
    root: from.root,
    dataDir: toPath(settings.dataDir),
    listen: listen.map((listener) => resolveListener(listener, toPath)),
    limits: resolveLimits(settings.limits),
    admin: settings.admin === false ? null : settings.admin,
    processes: resolveProcesses(settings.processes),
    drainTimeoutMs: milliseconds(settings.drainTimeout),
    reload: settings.reload,
    log: settings.log,
    metrics: settings.metrics,
    serverTiming: settings.serverTiming,
    forwarded: settings.forwarded,
    maintenance: resolveMaintenance(settings.maintenance),
    rateLimit: resolveRateLimits(settings.rateLimit),
    tiers: resolveTiers(settings.tiers),
    pressure: resolvePressure(settings.pressure),
    endpoints: settings.endpoints,
    access: resolveAccess(settings.access, { toPath, dataDir: settings.dataDir }),
    cache: resolveCache(settings.cache, { dataDir: settings.dataDir, toPath }),
    compression: resolveCompression(settings.compression),
    workers: settings.workers,
    redis: resolveRedis(settings.redis, toPath),
    upstreams: upstreams.map((upstream) =>
      isNeverAsked(upstream, routes) ? { ...upstream, required: false } : upstream,
    ),
    routes,
  })
}

/**
 * Whether an upstream gets copies alone, or is only spoken for by a document that lies in a file: no client waits for it, so
 * that /ready does not either.
 */
function isNeverAsked({ name, openapi }: UpstreamOptions, routes: readonly RouteOptions[]): boolean {
  const isIts = ({ to, split }: RouteOptions): boolean =>
    to === name || split?.sides.some((side) => side.name === name) === true
  const isSpokenFor = ({ mock }: RouteOptions): boolean =>
    mock !== null && (mock.document !== null || openapi?.startsWith('file:') === true)
  const own = routes.filter(isIts)
  if (own.length === 0) return routes.some(({ mirror }) => mirror?.to === name)
  return own.every(isSpokenFor)
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const part of Object.values(value)) deepFreeze(part)
  }
  return value
}
