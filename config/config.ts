import { isAbsolute, resolve } from 'node:path'
import type { AdminOptions, EndpointsOptions } from '../services/control/options.ts'
import type { ForwardedOptions } from '../services/downstream/options.ts'
import {
  type LimitsOptions,
  type ListenerOptions,
  resolveLimits,
  resolveListener,
} from '../services/listener/options.ts'
import type { LogOptions } from '../services/log/options.ts'
import { milliseconds } from '../services/options/schema.ts'
import { resolveRoute, type RouteOptions } from '../services/routing/options.ts'
import { resolveUpstream, type UpstreamOptions } from '../services/upstream/options.ts'
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
  log: LogOptions
  metrics: boolean
  serverTiming: boolean
  forwarded: ForwardedOptions
  endpoints: EndpointsOptions
  upstreams: UpstreamOptions[]
  routes: RouteOptions[]
}

/** @param settings validated, defaults filled in */
export function configOf(settings: Settings, from: { file: string | null; root: string }): Config {
  const toPath = (path: string): string => (isAbsolute(path) ? path : resolve(from.root, path))
  const listen = Array.isArray(settings.listen) ? settings.listen : [settings.listen]
  return deepFreeze({
    file: from.file,
    root: from.root,
    dataDir: toPath(settings.dataDir),
    listen: listen.map((listener) => resolveListener(listener, toPath)),
    limits: resolveLimits(settings.limits),
    admin: settings.admin === false ? null : settings.admin,
    processes: settings.processes,
    drainTimeoutMs: milliseconds(settings.drainTimeout),
    log: settings.log,
    metrics: settings.metrics,
    serverTiming: settings.serverTiming,
    forwarded: settings.forwarded,
    endpoints: settings.endpoints,
    upstreams: Object.entries(settings.upstreams).map(([name, upstream]) => resolveUpstream(name, upstream, toPath)),
    routes: Object.entries(settings.routes).map(([key, route]) => resolveRoute(key, route)),
  })
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const part of Object.values(value)) deepFreeze(part)
  }
  return value
}
