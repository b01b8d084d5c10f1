import type { Exchange } from '../downstream/exchange.ts'
import type { Gate, GateStep, Verdict } from '../gate/gate.ts'
import type { GatewayError } from '../http/problem.ts'
import { CountedReply } from './counted-reply.ts'
import type { Decision } from './decision.ts'
import { QuotaUsedError, RateLimitedError } from './errors.ts'
import type { Limit } from './limit.ts'
import { type Items, itemsOf, RateLimitFields, seconds } from './rate-limit-fields.ts'

/** A limit on a route. */
export interface RouteLimit {
  limit: Limit
  /** Units that a request costs here. */
  cost: number
}

interface Use extends RouteLimit {
  items: Items
}

export interface LimitGateOptions {
  step: GateStep
  /** Key of the route. */
  route: string
  limits: readonly RouteLimit[]
  /** By a caller's tier: what holds for it beside `limits`. */
  tiers?: ReadonlyMap<string, readonly RouteLimit[]>
  /** Told of each request of a caller whose tier is none of these. */
  stray?: (tier: string) => void
}

/**
 * The limits of one route: all have to let a request pass, and only then does it cost anything. What its client is told of
 * them is on every answer, and in no store.
 */
export class LimitGate implements Gate {
  readonly step: GateStep
  readonly description: string
  readonly #route: string
  readonly #all: readonly Use[]
  readonly #byTier: ReadonlyMap<string, readonly Use[]>
  /** For a tier that there is not. Were there none, a misspelt tier would be the best of all. */
  readonly #ofAllTiers: readonly Use[]
  readonly #stray: (tier: string) => void
  readonly #measuresBytes: boolean
  /** What is to be charged: by a key as it was when it passed. Its credentials are off a request then, and fields are changed. */
  readonly #charged = new WeakMap<Exchange, [Limit, string][]>()
  /** What was used is known now; where nothing is measured, nobody has to be told. */
  readonly finish: ((exchange: Exchange) => void) | undefined

  constructor({ step, route, limits, tiers = new Map(), stray = () => undefined }: LimitGateOptions) {
    this.step = step
    this.#route = route
    this.#all = limits.map(useOf)
    this.#byTier = new Map([...tiers].map(([tier, own]) => [tier, [...limits, ...own].map(useOf)]))
    const ever = [...limits, ...[...tiers.values()].flat()]
    this.#ofAllTiers = once(ever).map(useOf)
    this.#stray = stray
    this.#measuresBytes = ever.some(({ limit }) => limit.options.measured === 'response-bytes')
    const measures = ever.some(({ limit }) => limit.options.measured !== null)
    this.finish = measures ? (exchange) => this.#charge(exchange) : undefined
    this.description = ever.map(({ limit }) => limit.description).join('; ')
  }

  check(exchange: Exchange): Verdict | Promise<Verdict> {
    const uses = this.#usesOf(exchange)
    if (uses === this.#ofAllTiers) this.#stray(exchange.identity?.tier ?? '')
    return this.#run(exchange, { uses, fields: new RateLimitFields(), at: 0 })
  }

  /** Names of the limits that hold for whoever has sent it; what only counts holds for nobody. */
  holdingFor(exchange: Exchange): string[] {
    return this.#usesOf(exchange).flatMap(({ limit }) =>
      limit.options.dryRun || limit.allowed.includes(exchange) ? [] : limit.name,
    )
  }

  #charge(exchange: Exchange): void {
    for (const [limit, key] of this.#charged.get(exchange) ?? []) {
      const used = limit.options.measured === 'upstream-ms' ? exchange.upstreamMs : exchange.sentBytes
      if (used > 0) limit.state.limiter.charge(key, Math.ceil(used))
    }
  }

  #measure(exchange: Exchange, limit: Limit, key: string): void {
    const charged = this.#charged.get(exchange)
    if (charged === undefined) this.#charged.set(exchange, [[limit, key]])
    else charged.push([limit, key])
  }

  #usesOf({ identity }: Exchange): readonly Use[] {
    const tier = identity?.tier ?? null
    if (tier === null || this.#byTier.size === 0) return this.#all
    return this.#byTier.get(tier) ?? this.#ofAllTiers
  }

  #run(exchange: Exchange, progress: Progress): Verdict | Promise<Verdict> {
    const { uses } = progress
    for (; progress.at < uses.length; progress.at++) {
      const { limit, cost } = uses[progress.at] as Use
      if (limit.allowed.includes(exchange)) {
        limit.state.counts.exempt++
        continue
      }
      const key = limit.key.of(exchange, this.#route)
      if (limit.options.measured !== null) this.#measure(exchange, limit, key)
      const pending = limit.state.limiter.take(key, cost, limit.decision)
      if (pending !== undefined) return this.#wait(exchange, progress, pending)
      if (!this.#judge(exchange, progress, limit.decision)) return this.#refuse(exchange, progress, limit.decision)
    }
    if (this.#measuresBytes) exchange.reply = new CountedReply(exchange)
    progress.fields.putOn(exchange)
    return undefined
  }

  async #wait(exchange: Exchange, progress: Progress, pending: Promise<Decision>): Promise<Verdict> {
    const decision = await pending
    if (!this.#judge(exchange, progress, decision)) return this.#refuse(exchange, progress, decision)
    progress.at++
    return this.#run(exchange, progress)
  }

  /** @returns whether the limit lets it pass */
  #judge(exchange: Exchange, { uses, fields, at }: Progress, decision: Decision): boolean {
    const { limit, items } = uses[at] as Use
    const { counts, refused } = limit.state
    if (!limit.options.dryRun) fields.add(limit, items, decision)
    if (decision.allowed) {
      counts.allowed++
      return true
    }
    refused.add(limit.key.of(exchange, this.#route))
    if (limit.options.dryRun) counts.wouldLimit++
    else counts.limited++
    return limit.options.dryRun
  }

  /** What the limits before have let pass is not used. */
  #refuse(exchange: Exchange, { uses, fields, at }: Progress, decision: Decision): GatewayError {
    for (let i = 0; i < at; i++) {
      const { limit, cost } = uses[i] as Use
      if (cost === 0 || limit.options.dryRun || limit.allowed.includes(exchange)) continue
      limit.state.limiter.giveBack(limit.key.of(exchange, this.#route), cost)
    }
    fields.putOn(exchange)
    return refusalOf((uses[at] as Use).limit, decision)
  }
}

/** How far a request has come. */
interface Progress {
  uses: readonly Use[]
  fields: RateLimitFields
  at: number
}

function useOf({ limit, cost }: RouteLimit): Use {
  // What is charged afterwards costs nothing to begin with.
  return { limit, cost: limit.options.measured === null ? cost : 0, items: itemsOf(limit) }
}

/** Each limit at the most that it costs anywhere: tiers may share one. */
function once(uses: readonly RouteLimit[]): RouteLimit[] {
  const dearest = new Map<Limit, number>()
  for (const { limit, cost } of uses) dearest.set(limit, Math.max(cost, dearest.get(limit) ?? 0))
  return [...dearest].map(([limit, cost]) => ({ limit, cost }))
}

function refusalOf(limit: Limit, { waitMs }: Decision): GatewayError {
  const after = seconds(waitMs)
  const error: GatewayError =
    limit.period === null ? new RateLimitedError(limit.name, after) : new QuotaUsedError(limit.name, after)
  error.fields = ['retry-after', String(after)]
  error.problem = {
    type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
    members: { 'violated-policies': [limit.name] },
  }
  return error
}
