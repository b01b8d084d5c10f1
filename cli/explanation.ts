import type { Config } from '../config/config.ts'
import { cacheKey } from '../services/cache/key.ts'
import type { CachePolicy } from '../services/cache/policy.ts'
import { policyInWords } from '../services/cache/policy-report.ts'
import { guardedRoots, isBelow } from '../services/control/paths.ts'
import { guardedReading } from '../services/downstream/ambiguity.ts'
import type { Identity } from '../services/downstream/identity.ts'
import { GATE_STEPS } from '../services/gate/gate.ts'
import { canonicalTarget } from '../services/http/canonical-path.ts'
import { pathWriter } from '../services/proxy/path-writer.ts'
import { readRequestFields } from '../services/http/request-fields.ts'
import { cachedTogether, cachePolicyOf, CONTROL_GUARD, guardOf, stepsOf } from '../services/proxy/plan.ts'
import { explainRoutes, type RouteVerdict } from '../services/routing/explain.ts'
import type { RouteOptions } from '../services/routing/options.ts'
import type { UpstreamOptions } from '../services/upstream/options.ts'
import { httpOrigin } from '../services/upstream/prior-knowledge.ts'
import { parseRouteKey } from '../services/routing/pattern.ts'
import { RouteTable } from '../services/routing/table.ts'
import type { SplitSticky } from '../services/split/options.ts'
import { Split } from '../services/split/split.ts'
import { explainedGates } from './explained-gates.ts'
import { type Caller, callerOf, type GateVerdict, judgeGates } from './gate-verdicts.ts'
import { ownEndpoint } from './own-endpoints.ts'
import { detailOf, type StepContext } from './step-text.ts'

export interface Asked {
  method: string
  /** Without a port; empty for one that no route names. */
  host: string
  /** With its query. */
  path: string
  /** Default: http. */
  scheme?: 'http' | 'https'
  /** The host as sent, with its port; default: `host`. */
  authority?: string
  /** Further fields of the request: name, value, name, value. */
  fields?: readonly string[]
  /** Its client's; default: this machine's. */
  address?: string
}

/** What the gateway does with a request: what `headrace explain --json` prints. */
export interface Explanation {
  request: Asked
  outcome: 'proxied' | 'answered' | 'own' | 'refused' | 'method not allowed' | 'not found'
  /** What the client gets where nothing is proxied; `null` where something is. */
  answer: { status: number; detail: string } | null
  /** The path that routing sees. */
  canonicalPath: string | null
  route: string | null
  upstream: { name: string; targets: readonly string[] } | null
  /** Of a route with several upstreams: how requests are divided, and which of them is shown; `null` for others. */
  split: { side: string; detail: string } | null
  sent: { method: string; path: string; host: string } | null
  /** How the route is cached; `null` where it is not. */
  cache: CacheExplanation | null
  steps: { name: string; detail: string }[]
  /** What each gate of the route says to this very request, in their order. */
  gates: GateVerdict[]
  /** Who calls, where a gate has found that out. */
  caller: Caller | null
  /** Every route with the reason why it wins or loses. */
  routes: RouteVerdict[]
}

export interface CacheExplanation {
  /** Where the answer is looked for and stored; `null` for methods that are not, and for QUERY, which has its content in it. */
  key: string | null
  /** A QUERY that is cached by its content. */
  byContent: boolean
  /** What the policy says, in words. */
  lookup: readonly string[]
  store: readonly string[]
  /** What clients are told in place of what the origin says. */
  send: readonly string[]
}

/**
 * Follows a request through the configuration, without sending anything.
 *
 * @param identity who calls, as far as that is known: entries of the cache may be theirs alone
 */
export function explainRequest(config: Config, request: Asked, identity?: Identity): Explanation {
  const nothing = {
    canonicalPath: null,
    route: null,
    upstream: null,
    split: null,
    sent: null,
    cache: null,
    steps: [],
    gates: [],
    caller: null,
    routes: [],
  }
  const target = canonicalTarget(Buffer.from(request.path).toString('latin1'))
  if (typeof target === 'string') {
    const detail = `the request target ${target}`
    return { request, outcome: 'refused', answer: { status: 400, detail }, ...nothing }
  }
  const { path, query } = target
  const table = new RouteTable(config.routes.map((options) => ({ pattern: parseRouteKey(options.key), options })))
  const routes = explainRoutes(table, request.method, request.host, path)
  const found = { ...nothing, request, canonicalPath: path, routes }
  const own = ownEndpoint(config, request.method, path)
  // It wins over every route that would match.
  if (own !== undefined) return { ...found, outcome: 'own', answer: own, routes: [] }
  const lookup = table.lookup(request.method, request.host, path)
  if (lookup.kind === 'none') {
    return { ...found, outcome: 'not found', answer: { status: 404, detail: 'no route takes the path' } }
  }
  if (lookup.kind === 'method') {
    const detail = `the path takes ${lookup.allow.join(', ')}`
    return { ...found, outcome: 'method not allowed', answer: { status: 405, detail } }
  }
  const { options, pattern } = lookup.route
  if (request.method === 'TRACE' && pattern.methods === null) {
    const detail = 'TRACE shows what it was sent, credentials too: it goes where a route names it'
    return { ...found, outcome: 'method not allowed', answer: { status: 405, detail } }
  }
  if (options.encodedSlash === 'refuse' && path.includes('%2F')) {
    const answer = { status: 400, detail: 'the path has an encoded slash, which the route refuses' }
    return { ...found, outcome: 'refused', answer, route: options.key }
  }
  const guarded = guardedRoots(config)
  const reading = guardedReading(path, guardOf(options), (other) => {
    if (isBelow(guarded, other)) return CONTROL_GUARD
    const reached = table.lookup(request.method, request.host, other)
    return reached.kind === 'route' ? guardOf(reached.route.options) : ''
  })
  if (reading !== undefined) {
    const reached = reading === null ? 'leaves the root' : `is ${reading}, which asks something else of its callers`
    const detail = `read in another way (an encoded slash, '//' or ';…'), the path ${reached}: send its plain form`
    return { ...found, outcome: 'refused', answer: { status: 400, detail }, route: options.key }
  }
  if (config.maintenance.enabled || options.maintenance) {
    const what = config.maintenance.enabled ? 'all routes are' : 'the route is'
    const answer = { status: 503, detail: `${what} in maintenance, as the configuration says` }
    return { ...found, outcome: 'refused', answer, route: options.key }
  }
  if (options.to === null || options.mock !== null) {
    const sent = { path, host: '' }
    const context = { config, request, path, options, upstream: undefined, sent, split: null, cache: null }
    const steps = stepsInWords(context)
    const status = options.answer?.status ?? options.mock?.status ?? 200
    const answer = { status, detail: `${options.key} answers by itself` }
    return { ...found, outcome: 'answered', answer, route: options.key, steps }
  }
  const writer = pathWriter(pattern, options.stripPrefix, options.rewrite)
  const split = explainSplit(request, options)
  const side = split?.side ?? options.to
  const upstream = config.upstreams.find(({ name }) => name === side)
  const sentPath = (writer === null ? path : writer.send(path, lookup.parameters)) + query
  const host = upstream?.host === 'preserve' ? request.host : authorityOf(upstream?.targets[0]?.origin ?? '')
  const sent = { method: request.method, path: sentPath, host }
  const to = { name: side, targets: upstream?.targets.map(({ url }) => url) ?? [] }
  const policy = cachePolicyOf(options, upstreamsOf(config, cachedTogether(options, side)), config)
  const cache = policy === null ? null : explainCache(policy, { request, path, query, identity })
  const context = { config, request, path, options, upstream, sent, split, cache }
  const steps = stepsInWords(context)
  return { ...found, outcome: 'proxied', answer: null, route: options.key, upstream: to, split, sent, cache, steps }
}

/**
 * The same, with what the gates of its route say to this request.
 *
 * @throws HR_ACCESS_*, HR_RATE_* for a configuration that cannot be used
 */
export async function explainVerdicts(config: Config, request: Asked): Promise<Explanation> {
  const shown = withoutCredentials(request, config)
  const unasked = { ...explainRequest(config, request), request: shown }
  const { canonicalPath: path, outcome } = unasked
  const route = config.routes.find(({ key }) => key === unasked.route)
  if (route === undefined || path === null || (outcome !== 'proxied' && outcome !== 'answered')) return unasked
  const { identity, gates } = await judgeGates(config, request, { route, path })
  const explanation = { ...explainRequest(config, request, identity), request: shown }
  const steps = withGates(explanation.steps, gates)
  const judged = { ...explanation, caller: callerOf(identity), gates, steps }
  const last = judged.gates.findLast(({ verdict }) => verdict === 'refuses' || verdict === 'answers')
  if (last === undefined) return judged
  const detail =
    last.code === null ? `the step ${last.step} answers by itself` : `${last.code}, by the step ${last.step}`
  return {
    ...judged,
    upstream: null,
    sent: null,
    outcome: last.verdict === 'refuses' ? 'refused' : 'answered',
    answer: { status: last.status ?? 500, detail },
  }
}

/** All gates stand between the route and what answers; some are made of more than the options of the route. */
function withGates(steps: Explanation['steps'], gates: readonly GateVerdict[]): Explanation['steps'] {
  const isGate = (name: string): boolean => (GATE_STEPS as readonly string[]).includes(name)
  const others = steps.filter(({ name }) => !isGate(name))
  const asked = GATE_STEPS.flatMap((name) => {
    const details = gates.filter(({ step }) => step === name).map(({ asks }) => asks)
    // Validation wants a document, which nobody fetches for an explanation: it is told, and not asked.
    if (details.length === 0) return steps.filter((step) => step.name === name)
    return [{ name, detail: details.join('; ') }]
  })
  const behind = others.findIndex(({ name }) => name === 'route') + 1
  return [...others.slice(0, behind), ...asked, ...others.slice(behind)]
}

/** What is printed ends up in terminals and tickets. */
function withoutCredentials(request: Asked, { access }: Config): Asked {
  if (request.fields === undefined) return request
  const secret = new Set(['authorization', 'proxy-authorization', 'cookie', access.keys.header])
  const { fields } = request
  return {
    ...request,
    fields: fields.map((text, i) => (i % 2 === 1 && secret.has(fields[i - 1] ?? '') ? '[redacted]' : text)),
  }
}

/** The steps of a request, and what each does with it; of gates, those that the configuration alone makes. */
function stepsInWords(context: StepContext): Explanation['steps'] {
  const { config, options } = context
  const gates = explainedGates(config, options)
  return stepsOf(options, config.compression, gates).map((name) => {
    const asked = gates?.list.filter(({ step }) => step === name) ?? []
    const detail = asked.length > 0 ? asked.map(({ description }) => description).join('; ') : detailOf(name, context)
    return { name, detail }
  })
}

function authorityOf(target: string): string {
  const origin = httpOrigin(target)
  return target.startsWith('unix:') || !URL.canParse(origin) ? 'localhost' : new URL(origin).host
}

function upstreamsOf({ upstreams }: Config, names: readonly string[]): UpstreamOptions[] {
  return names.flatMap((name) => upstreams.find((one) => one.name === name) ?? [])
}

/** What the request itself decides; where chance does, the largest side is shown. */
function explainSplit(request: Asked, { split, to }: RouteOptions): Explanation['split'] {
  if (split === null || to === null) return null
  const sides = new Split(split, () => ({ value: null, counts: { rule: 0, sticky: 0, share: 0 } }))
  const fields = readRequestFields(request.fields ?? [])
  const known = sides.known({ fields, path: request.path, clientAddress: '', identity: undefined })
  if (known?.reason === 'rule') return { side: known.side.name, detail: `${known.side.name}, by a rule` }
  const total = split.sides.reduce((sum, { weight }) => sum + weight, 0)
  const shares = split.sides
    .map(({ name, weight }) => `${name} ${Math.round((weight / total) * 1000) / 10} %`)
    .join(', ')
  if (known !== undefined)
    return { side: known.side.name, detail: `${known.side.name}, as its client before; ${shares}` }
  const kept = split.sticky === null ? 'by chance' : stickyInWords(split.sticky)
  return { side: to, detail: `${kept}; ${shares}; ${to} is shown here` }
}

function stickyInWords(sticky: SplitSticky): string {
  if (sticky.by === 'cookie') return `by chance, then as the cookie ${sticky.cookie} says`
  return sticky.key === 'client' ? "by the client's address" : `by ${sticky.key}, without it by chance`
}

const LOOKED_UP = new Set(['GET', 'HEAD'])

function explainCache(
  policy: CachePolicy,
  { request, path, query, identity }: { request: Asked; path: string; query: string; identity: Identity | undefined },
): CacheExplanation {
  const words = policyInWords(policy)
  const byContent = request.method === 'QUERY' && policy.queries
  if (!LOOKED_UP.has(request.method)) return { key: null, byContent, ...words }
  const { scheme = 'http', authority = request.host, fields = [] } = request
  const key = cacheKey(policy, { scheme, authority, path, query, fields: readRequestFields(fields), identity })
  return { key, byContent, ...words }
}
