import type { Admissible } from '../downstream/admission.ts'
import type { RouteTraffic, Traffic } from '../monitor/traffic.ts'
import type { RouteOptions } from '../routing/options.ts'
import { parseRouteKey, type RoutePattern } from '../routing/pattern.ts'
import { RouteTable } from '../routing/table.ts'
import type { Upstream, Upstreams } from '../upstream/upstreams.ts'
import { type PathWriter, pathWriter } from './path-writer.ts'

/** The steps of a request in their fixed order, as `headrace explain` names them. */
export const STEPS = ['canonicalise', 'forwarded', 'request id', 'route', 'upstream', 'log'] as const
export type Step = (typeof STEPS)[number]

/** A route, compiled at boot: everything that a request of it needs, so that no request looks anything up. */
export interface RoutePlan extends Admissible {
  key: string
  pattern: RoutePattern
  options: RouteOptions
  upstream: Upstream
  /** `null` where the path goes on unchanged. */
  writer: PathWriter | null
  traffic: RouteTraffic | null
  steps: readonly Step[]
}

/** @throws HR_ROUTE_INVALID, HR_UPSTREAM_UNKNOWN */
export function compilePlans(
  routes: readonly RouteOptions[],
  upstreams: Upstreams,
  traffic: Traffic | null,
): RouteTable<RoutePlan> {
  return new RouteTable(
    routes.map((options): RoutePlan => {
      const pattern = parseRouteKey(options.key)
      return {
        key: options.key,
        pattern,
        options,
        upstream: upstreams.get(options.to),
        writer: pathWriter(pattern, options.stripPrefix, options.rewrite),
        traffic: traffic?.route(options.key) ?? null,
        encodedSlash: options.encodedSlash,
        strictness: 0,
        steps: STEPS,
      }
    }),
  )
}

/** The path that goes to the upstream, with its query. */
export function pathToSend(plan: RoutePlan, path: string, query: string, parameters: readonly string[]): string {
  const sent = plan.writer === null ? path : plan.writer.send(path, parameters)
  return query === '' ? sent : sent + query
}
