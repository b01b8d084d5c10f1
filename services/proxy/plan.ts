import type { CacheOptions } from '../cache/options.ts'
import type { Cacheable } from '../cache/context.ts'
import { type CachePolicy, compilePolicy } from '../cache/policy.ts'
import type { Compression } from '../compression/compressed-reply.ts'
import { compressionOf, type SharedCompression } from '../compression/options.ts'
import type { Admissible } from '../downstream/admission.ts'
import type { ForwardedOptions } from '../downstream/options.ts'
import { GATE_STEPS, type GateStep } from '../gate/gate.ts'
import type { Gates } from '../gate/gates.ts'
import type { RouteTraffic } from '../monitor/traffic.ts'
import type { RouteOptions } from '../routing/options.ts'
import type { RoutePattern } from '../routing/pattern.ts'
import type { RouteTable } from '../routing/table.ts'
import type { RequestTransform } from '../transform/request-transform.ts'
import { claimsIn } from '../transform/template.ts'
import type { TimeoutOptions, UpstreamOptions } from '../upstream/options.ts'
import type { HedgeOptions, RetryOptions } from '../upstream/retry/options.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { Detour } from './detour.ts'
import type { PathWriter } from './path-writer.ts'
import type { ResponseStage } from './response-stage.ts'
import type { RouteMirror } from './route-mirror.ts'

/** The steps of a request in their fixed order, as `headrace explain` names them. */
export const STEPS = [
  'canonicalise',
  'forwarded',
  'request id',
  'route',
  ...GATE_STEPS,
  'split',
  'answer',
  'mock',
  'lookup',
  'request transformation',
  'upstream',
  'mirror',
  'response validation',
  'transformation',
  'store',
  'coding',
  'log',
] as const
/** The guard on the control plane: no route has the same. */
export const CONTROL_GUARD = 'control'

/** What a route asks of its callers, as text: the same for routes that ask the same, empty for those that let everybody in. */
export function guardOf({ access }: Pick<RouteOptions, 'access'>): string {
  if (access === null) return ''
  // Whether what is stored is for all is the cache's matter: the same callers get it.
  const { public: _, ...guard } = access
  const { anonymous, allow, deny, addresses } = guard
  const isOpen = anonymous && [allow, deny, addresses.allow, addresses.deny].every(({ length }) => length === 0)
  return isOpen ? '' : JSON.stringify(guard)
}

export type Step = (typeof STEPS)[number]

/** The steps of a route's requests: without a cache, nothing is looked up or stored. */
export function stepsOf(
  { cache, split, answer, mock, mirror, compression, validate, transform }: RouteOptions,
  shared: SharedCompression,
  gates: Gates | null,
): readonly Step[] {
  const isSent = answer === null && mock === null
  const asked = new Set<GateStep>(gates?.list.map(({ step }) => step))
  const isTaken: Partial<Record<Step, boolean>> = {
    split: isSent && split !== null,
    answer: answer !== null,
    mock: mock !== null,
    lookup: isSent && cache !== null,
    upstream: isSent,
    mirror: isSent && mirror !== null,
    'request transformation': isSent && transform !== null && changes(transform.request),
    transformation: isSent && transform !== null && changes(transform.response),
    'response validation': isSent && validate !== null && validate.responses !== 'off',
    store: isSent && cache !== null,
    coding: compressionOf(compression, shared) !== null,
  }
  for (const step of GATE_STEPS) isTaken[step] = asked.has(step)
  // Its gate wants a document; that there is one, the options say.
  isTaken.validation = validate !== null && validate.requests !== 'off'
  return STEPS.filter((step) => isTaken[step] ?? true)
}

/** Whether any of one side's transformations does anything. */
export function changes(side: Readonly<Record<string, unknown>>): boolean {
  return Object.values(side).some((one) => (Array.isArray(one) ? one.length > 0 : one !== null))
}

interface Planned extends Admissible, Cacheable {
  key: string
  pattern: RoutePattern
  options: RouteOptions
  traffic: RouteTraffic | null
  /** What its requests have to pass first; `null`: nothing. */
  gates: Gates | null
  /** `null`: what comes goes to the client as it is. */
  compression: Compression | null
  steps: readonly Step[]
}

/** A route whose requests go to one upstream: everything that a request of it needs, so that none looks anything up. */
export interface ProxyPlan extends Planned {
  detour: null
  upstream: Upstream
  /** Of the route, else of its upstream. */
  timeout: TimeoutOptions
  /** `null`: nothing is sent again, but for what an idle connection has lost. */
  retry: RetryOptions | null
  hedge: HedgeOptions | null
  /** `null` where the path goes on unchanged. */
  writer: PathWriter | null
  /** `null`: nobody else gets what is sent. */
  mirror: RouteMirror | null
  /** What becomes of requests on the way there; `null`: nothing. */
  requests: RequestTransform | null
  /** What answers go through before any cache; `null`: nothing. */
  stages: readonly ResponseStage[] | null
}

/** A route whose requests something else sees to first: they go on by another plan, or end there. */
export interface DetourPlan extends Planned {
  detour: Detour
}

/** A route, compiled at boot. */
export type RoutePlan = ProxyPlan | DetourPlan

/** What decides about all routes: parts of the configuration. */
export interface PlanSettings {
  cache: CacheOptions
  compression: SharedCompression
  forwarded: ForwardedOptions
}

/** The upstreams whose answers one side of a route may be given by its cache: that side alone, or all that answer alike. */
export function cachedTogether({ split }: RouteOptions, side: string): string[] {
  return split?.cache === 'shared' ? split.sides.map(({ name }) => name).toSorted() : [side]
}

/**
 * The policy of a route's cache, `null` without one. What shapes its answers beside the cache goes into the key too: where
 * they come from, by whose word (TLS), and whom the upstream is told to answer (forwarding).
 *
 * @param sources see {@link cachedTogether}
 */
export function cachePolicyOf(
  route: RouteOptions,
  sources: readonly UpstreamOptions[],
  { cache: shared, forwarded }: Omit<PlanSettings, 'compression'>,
): CachePolicy | null {
  if (route.cache === null) return null
  const { key, stripPrefix, rewrite, encodedSlash, decompress, transform, validate } = route
  // How often and how long the origin is asked, who has which share, where it is shown, how an answer is coded on its way to
  // one client, and what else goes by the route, changes nothing that is stored.
  const to = sources.map(({ name }) => name)
  const shape = { key, to, stripPrefix, rewrite, encodedSlash, decompress, transform, checked: validate?.responses }
  const origins = sources.map(({ targets, host, tls }) => [targets.map(({ url }) => url), host, tls])
  // Whoever is told apart by the gateway is so for the cache too; another way of asking is another answer.
  const { access } = route
  const isGuarded = access !== null && !access.public && (access.by.length > 0 || access.anonymous)
  const guard = access === null ? null : [access.by, access.anonymous]
  const claims = transform === null ? [] : claimsIn(transform)
  return compilePolicy(route.cache, shared, { shape: [shape, origins, forwarded, guard], isGuarded, claims })
}

/** The plans by which requests of a route are sent: its own, or those of its sides. */
export function waysOf(route: RoutePlan): readonly ProxyPlan[] {
  return route.detour === null ? [route] : route.detour.plans
}

/** Methods whose answers may be stored. */
const READING = ['GET', 'QUERY', 'POST'] as const

/**
 * By which policies something may be stored under a path.
 *
 * @param host canonical, as for {@link RouteTable.match}; the path too
 */
export function policiesAt(table: RouteTable<RoutePlan>, host: string, path: string): CachePolicy[] {
  const policies = new Set<CachePolicy>()
  for (const method of READING) {
    const route = table.match(method, host, path)?.route
    if (route !== undefined) for (const { cache } of waysOf(route)) if (cache !== null) policies.add(cache.policy)
  }
  return [...policies]
}

/** The path that goes to the upstream, with its query. */
export function pathToSend(plan: ProxyPlan, path: string, query: string, parameters: readonly string[]): string {
  const sent = plan.writer === null ? path : plan.writer.send(path, parameters)
  return query === '' ? sent : sent + query
}
