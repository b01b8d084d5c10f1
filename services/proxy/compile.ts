import { StaticAnswer } from '../answer/static-answer.ts'
import type { CacheCounters } from '../cache/counters.ts'
import type { RouteCache } from '../cache/context.ts'
import type { Compression } from '../compression/compressed-reply.ts'
import { compressionOf } from '../compression/options.ts'
import { compileCompression } from '../compression/policy.ts'
import { StoredForms, type StoredFormsOptions } from '../compression/stored-forms.ts'
import type { GateMaker } from '../gate/gate.ts'
import { gatesOf } from '../gate/gates.ts'
import type { MirrorCounters } from '../mirror/counters.ts'
import { Mirror } from '../mirror/mirror.ts'
import type { MirrorOptions } from '../mirror/options.ts'
import type { ServedDocuments } from '../openapi/served-documents.ts'
import { MockSourceError } from '../mock/errors.ts'
import { Mock } from '../mock/mock.ts'
import type { MockOptions } from '../mock/options.ts'
import type { Traffic } from '../monitor/traffic.ts'
import { InvalidRouteError } from '../routing/errors.ts'
import type { RouteOptions } from '../routing/options.ts'
import { parseRouteKey, type RoutePattern } from '../routing/pattern.ts'
import { RouteTable } from '../routing/table.ts'
import type { SplitCounters } from '../split/counters.ts'
import type { SplitOptions } from '../split/options.ts'
import { Split } from '../split/split.ts'
import { SplitDetour } from '../split/split-detour.ts'
import type { HookFailure } from '../transform/hook-log.ts'
import { type Hooks, shortName } from '../transform/hooks.ts'
import { RequestTransform } from '../transform/request-transform.ts'
import { ResponseTransform } from '../transform/response-transform.ts'
import { ValidationSourceError } from '../validation/errors.ts'
import type { ValidateOptions } from '../validation/options.ts'
import type { ValidationRecord } from '../validation/record.ts'
import { ResponseValidation } from '../validation/response-validation.ts'
import { RouteValidation } from '../validation/route-validation.ts'
import { ValidationGate } from '../validation/validation-gate.ts'
import { bodyLimit } from '../request/request-gate.ts'
import { httpOrigin } from '../upstream/prior-knowledge.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { Upstreams } from '../upstream/upstreams.ts'
import { pathWriter } from './path-writer.ts'
import type { ResponseStage } from './response-stage.ts'
import {
  cachedTogether,
  cachePolicyOf,
  changes,
  type DetourPlan,
  guardOf,
  type PlanSettings,
  type ProxyPlan,
  type RoutePlan,
  stepsOf,
} from './plan.ts'

export interface PlanParts extends PlanSettings {
  upstreams: Upstreams
  traffic: Traffic | null
  splits: SplitCounters
  mirrors: MirrorCounters
  documents: ServedDocuments
  /** Code of the user's that routes name. */
  hooks: Hooks
  /** Told of each time that it fails. */
  hookFailed: (failure: HookFailure) => void
  /** What validation has found so far. */
  validations: ValidationRecord
  limits: { bodyBytes: number }
  /** Each makes one gate of a route that asks for it. */
  gates: readonly GateMaker<RouteOptions>[]
  /** Told of what the gateway itself fails on where no client waits. */
  failed: (error: unknown) => void
  /** What the cache has done on a route so far, by the route's key. */
  cacheCounters: (key: string) => CacheCounters
  /** Notes what codings of a stored answer take in the store. */
  charge: StoredFormsOptions['charge']
  recode: StoredFormsOptions['recode']
}

/** @throws HR_ROUTE_INVALID, HR_ROUTE_ANSWER_FILE, HR_MOCK_SOURCE, HR_UPSTREAM_UNKNOWN */
export function compilePlans(routes: readonly RouteOptions[], parts: PlanParts): RouteTable<RoutePlan> {
  return new RouteTable(routes.map((options) => compileRoute(options, parts)))
}

/** What is the same in all the plans of one route. */
type Common = Pick<
  ProxyPlan,
  | 'key'
  | 'pattern'
  | 'options'
  | 'traffic'
  | 'gates'
  | 'compression'
  | 'encodedSlash'
  | 'guard'
  | 'preflights'
  | 'steps'
>

function compileRoute(options: RouteOptions, parts: PlanParts): RoutePlan {
  const { key, split, encodedSlash } = options
  const validation = options.validate === null ? null : validationOf(options.validate, options, parts)
  const gates = gatesOf(options, [...parts.gates, () => validationGate(validation, options, parts)])
  const common: Common = {
    key,
    pattern: parseRouteKey(key),
    options,
    traffic: parts.traffic?.route(key) ?? null,
    compression: routeCompression(options, parts),
    encodedSlash,
    guard: guardOf(options),
    preflights: options.cors !== null,
    gates,
    steps: stepsOf(options, parts.compression, gates),
  }
  const counters = parts.cacheCounters(key)
  const mirror = options.mirror === null ? null : mirrorTo(options.mirror, common, parts)
  const transforms = transformsOf(common, parts)
  const stages = stagesOf(validation, transforms.answers)
  const onTheWay = { counters, mirror, requests: transforms.requests, stages }
  const planTo = (upstream: string): ProxyPlan => proxyPlan(upstream, common, { ...parts, ...onTheWay })
  if (options.answer !== null) return { ...common, detour: new StaticAnswer(key, options.answer), cache: null }
  if (options.mock !== null) return { ...common, detour: mockOf(options.mock, common, parts), cache: null }
  if (split !== null) return splitPlan(split, common, { ...parts, planTo })
  if (options.to === null) throw new InvalidRouteError(`'${key}' names neither an upstream nor an answer`)
  return planTo(options.to)
}

function proxyPlan(
  name: string,
  common: Common,
  parts: PlanParts & { counters: CacheCounters; mirror: Mirror | null } & Pick<ProxyPlan, 'requests' | 'stages'>,
): ProxyPlan {
  const { upstreams } = parts
  const { options, pattern } = common
  const upstream = upstreams.get(name)
  const patience = patienceOf(options, upstream)
  if (patience.hedge !== null && 'quantile' in patience.hedge.after) upstream.watchLatency()
  upstreams.deadlines.sharpen(tickOf(patience))
  const waitMs = upstream.concurrency?.options.waitMs ?? 0
  if (waitMs > 0) upstreams.deadlines.sharpen(Math.max(SHORTEST_TICK_MS, waitMs / 4))
  return {
    ...common,
    detour: null,
    upstream,
    ...patience,
    writer: pathWriter(pattern, options.stripPrefix, options.rewrite),
    mirror: parts.mirror,
    requests: parts.requests,
    stages: parts.stages,
    cache: routeCache(name, options, parts),
  }
}

function mockOf(mock: MockOptions, { options, pattern, key }: Common, { upstreams, documents }: PlanParts): Mock {
  const upstream = options.to === null ? null : upstreams.get(options.to).options
  const location = mock.document ?? upstream?.openapi ?? null
  if (location === null) throw new MockSourceError(key)
  const targets = upstream?.targets.map(({ origin }) => httpOrigin(origin)) ?? []
  return new Mock(mock, {
    document: documents.add({ upstream: upstream?.name ?? key, location, targets }),
    writer: pathWriter(pattern, options.stripPrefix, options.rewrite),
  })
}

/** The comparison with a document, which requests and answers of a route share. */
function validationOf(
  validate: ValidateOptions,
  { key, to, stripPrefix, rewrite }: RouteOptions,
  { upstreams, documents, validations }: PlanParts,
): RouteValidation {
  const upstream = to === null ? null : upstreams.get(to).options
  const location = validate.document ?? upstream?.openapi ?? null
  if (location === null) throw new ValidationSourceError(key)
  const name = upstream?.name ?? key
  return new RouteValidation(validate, {
    key,
    upstream: name,
    document: documents.add({
      upstream: name,
      location,
      targets: upstream?.targets.map(({ origin }) => httpOrigin(origin)) ?? [],
    }),
    writer: pathWriter(parseRouteKey(key), stripPrefix, rewrite),
    record: validations,
  })
}

function validationGate(
  validation: RouteValidation | null,
  { request, decompress }: RouteOptions,
  { limits }: PlanParts,
): ValidationGate | null {
  if (validation === null || validation.options.requests === 'off') return null
  return new ValidationGate(validation, { decompress, limitBytes: bodyLimit(request, limits.bodyBytes) })
}

/** What answers go through on their way from the upstream. */
function stagesOf(
  validation: RouteValidation | null,
  transform: ResponseStage | null,
): readonly ResponseStage[] | null {
  const stages: ResponseStage[] = []
  if (validation !== null && validation.options.responses !== 'off') stages.push(new ResponseValidation(validation))
  if (transform !== null) stages.push(transform)
  return stages.length === 0 ? null : stages
}

/** What becomes of a route's requests and answers. @throws HR_TRANSFORM_HOOK_SOURCE */
function transformsOf(
  { options, pattern, key }: Common,
  { hooks, hookFailed, limits }: PlanParts,
): { requests: RequestTransform | null; answers: ResponseTransform | null } {
  const { transform, request: requestLimits } = options
  if (transform === null) return { requests: null, answers: null }
  const { request, response } = transform
  const parameters = parameterNames(pattern)
  const limitBytes = bodyLimit(requestLimits, limits.bodyBytes)
  const hookOf = (side: HookFailure['side']) => {
    const reference = transform[side].hook
    const name = reference === null ? '' : shortName(reference)
    return {
      hook: reference === null ? null : { run: hooks.get(reference), name },
      failed: (told: Pick<HookFailure, 'requestId' | 'error'>) => hookFailed({ side, route: key, hook: name, ...told }),
    }
  }
  return {
    requests: changes(request)
      ? new RequestTransform(transform, { parameters, limitBytes, ...hookOf('request') })
      : null,
    answers: changes(response) ? new ResponseTransform(transform, { parameters, ...hookOf('response') }) : null,
  }
}

/** In the order in which a match gives their values. */
function parameterNames({ segments }: RoutePattern): string[] {
  return segments.flatMap((segment) => {
    if (segment.kind === 'static') return []
    return [segment.kind === 'parameter' ? segment.name : '*']
  })
}

function mirrorTo(mirror: MirrorOptions, common: Common, { upstreams, mirrors, failed }: PlanParts): Mirror {
  const { options, pattern, key } = common
  const upstream = upstreams.get(mirror.to)
  const { timeout } = upstream.options
  // A stream that says nothing for long has no room here that others could use.
  const patience = { timeout: { ...timeout, streamIdleMs: timeout.idleMs }, retry: null, hedge: null }
  upstreams.deadlines.sharpen(tickOf(patience))
  const writer = pathWriter(pattern, options.stripPrefix, options.rewrite)
  return new Mirror(mirror, {
    plan: {
      ...common,
      detour: null,
      upstream,
      ...patience,
      writer,
      mirror: null,
      requests: null,
      stages: null,
      cache: null,
      compression: null,
    },
    counts: mirrors.mirror(key, mirror.to),
    random: Math.random,
    failed,
  })
}

function splitPlan(
  split: SplitOptions,
  common: Common,
  { splits, planTo }: PlanParts & { planTo: (upstream: string) => ProxyPlan },
): DetourPlan {
  const sides = new Split<ProxyPlan>(split, (name) => ({
    value: planTo(name),
    counts: splits.side(common.key, name),
  }))
  const detour = new SplitDetour(sides, split)
  // The policies differ in where answers come from alone, and all count into one.
  return { ...common, detour, cache: detour.plans[0]?.cache ?? null }
}

/** How long a route waits for its upstream, and what it does then. */
function patienceOf(route: RouteOptions, upstream: Upstream): Pick<ProxyPlan, 'timeout' | 'retry' | 'hedge'> {
  const { timeout, retry, hedge } = upstream.options
  return {
    timeout: { ...timeout, ...route.timeout },
    retry: (route.retry ?? retry) || null,
    hedge: (route.hedge ?? hedge) || null,
  }
}

/** Looking more often costs more than it is worth. */
const SHORTEST_TICK_MS = 5
/** Percentiles may be anything: most are more than a few of these. */
const PERCENTILE_TICK_MS = 10

/** How late a deadline may be noticed: a timeout by a twentieth, a retry or a hedge by a quarter of its wait. */
function tickOf({ timeout, retry, hedge }: Pick<ProxyPlan, 'timeout' | 'retry' | 'hedge'>): number {
  const timeouts = [timeout.firstByteMs, timeout.idleMs, timeout.totalMs].filter((ms) => ms > 0)
  const waits = [
    ...timeouts.map((ms) => ms / 20),
    ...(retry !== null && retry.backoffMs > 0 ? [retry.backoffMs / 4] : []),
    ...(hedge === null ? [] : ['ms' in hedge.after ? hedge.after.ms / 4 : PERCENTILE_TICK_MS]),
  ]
  return Math.max(SHORTEST_TICK_MS, Math.min(...waits))
}

function routeCache(
  upstream: string,
  route: RouteOptions,
  parts: PlanParts & { counters: CacheCounters },
): RouteCache | null {
  const sources = cachedTogether(route, upstream).map((name) => parts.upstreams.get(name).options)
  const policy = cachePolicyOf(route, sources, parts)
  return policy === null ? null : { policy, counters: parts.counters }
}

function routeCompression(route: RouteOptions, { compression, charge, recode }: PlanParts): Compression | null {
  const options = compressionOf(route.compression, compression)
  if (options === null) return null
  const policy = compileCompression(options)
  // What the gateway answers by itself is one answer, in no store: its codings stay as long as the route.
  const noted = route.answer === null ? charge : () => true
  return { policy, stored: new StoredForms({ policy, charge: noted, recode }) }
}
