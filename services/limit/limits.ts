import type { Gate, GateMaker, GateStep } from '../gate/gate.ts'
import type { Period } from './clock.ts'
import { UnknownLimitError } from './errors.ts'
import { Limit, type LimitShape } from './limit.ts'
import { LimitGate, type RouteLimit } from './limit-gate.ts'
import type { LimitStore } from './limit-store.ts'
import type { LimitOptions, LimitUse, TierOptions } from './options.ts'
import type { LimitReport } from './report.ts'

/** What of a route decides about its limits. */
export interface LimitedRoute {
  key: string
  /** `null`: none hold, not even those of tiers. */
  rateLimit: readonly LimitUse[] | null
  /** How callers show who they are; `null`: nobody asks, and none has a tier. */
  access: object | null
}

export interface LimitSettings {
  /** By name. */
  rateLimit: Readonly<Record<string, LimitOptions>>
  tiers: readonly TierOptions[]
}

type LimitsLog = Record<'warn', (details: object, message: string) => void>

const PERIODS = ['day', 'month'] as const satisfies Period[]
const TOP = 10
/** Of a tier's name that a token or a service has made up. */
const LONGEST_TOLD = 64

/** The limits of a configuration: they make the gates of its routes, and tell what they have done. */
export class Limits {
  readonly #settings: LimitSettings
  readonly #store: LimitStore
  readonly #limits = new Map<string, { shape: LimitShape; limit: Limit }>()
  readonly #tiers = new Map<string, readonly RouteLimit[]>()
  readonly #log: LimitsLog | null
  /** Requests of callers whose tier is none of those there are. */
  #strays = 0

  /** @throws HR_RATE_ALLOW_LIST, HR_RATE_UNKNOWN */
  constructor(settings: LimitSettings, store: LimitStore, log: LimitsLog | null = null) {
    this.#settings = settings
    this.#store = store
    this.#log = log
    for (const tier of settings.tiers) this.#tiers.set(tier.name, this.#ofTier(tier))
  }

  /** One for each step at which limits hold. */
  get makers(): readonly GateMaker<LimitedRoute>[] {
    return [(route) => this.#gateOf(route, 'limit'), (route) => this.#gateOf(route, 'allowance')]
  }

  report(): LimitReport {
    const { ledger, errands, alone } = this.#store
    const shared = ledger === null ? null : { ledger: ledger.name, ready: ledger.ready, alone, ...errands?.counters }
    return {
      limits: [...this.#limits.values()].map(({ limit }) => ({
        name: limit.name,
        description: limit.description,
        mode: limit.options.mode,
        dryRun: limit.options.dryRun,
        ...limit.state.counts,
        keys: limit.state.limiter.keys(),
        refused: limit.state.refused.list(TOP).map(({ key, count }) => ({ key: limit.key.shown(key), count })),
      })),
      shared: shared === null ? null : { done: 0, failed: 0, ...shared },
    }
  }

  /** What wants attention, in words. */
  notices(): string[] {
    const { ledger } = this.#store
    return [
      ...(ledger === null || (ledger.ready && (ledger.reason ?? null) === null)
        ? []
        : [`Rate limits are each process's own: ${ledger.name} cannot be asked${because(ledger.reason)}`]),
      ...(this.#strays === 0
        ? []
        : [`${this.#strays} requests came from callers whose tier is none of tiers: all of these hold for them`]),
    ]
  }

  readonly #stray = (tier: string): void => {
    if (this.#strays++ > 0) return
    this.#log?.warn(
      { tier: tier.slice(0, LONGEST_TOLD) },
      'A caller has a tier that there is not: all tiers hold for it',
    )
  }

  /** What it holds of the store is for others from now on. */
  async release(): Promise<void> {
    const held = [...this.#limits.values()]
    this.#limits.clear()
    await Promise.all(held.map(({ shape }) => this.#store.release(shape)))
  }

  #gateOf({ key, rateLimit, access }: LimitedRoute, step: GateStep): Gate | null {
    if (rateLimit === null) return null
    const own = rateLimit
      .map((use, index) => this.#use(use, nameOf(key, index, rateLimit.length)))
      .filter(({ limit }) => limit.step === step)
    const tiers = step === 'allowance' && access !== null ? this.#tiers : new Map<string, never>()
    return own.length === 0 && tiers.size === 0
      ? null
      : new LimitGate({ step, route: key, limits: own, tiers, stray: this.#stray })
  }

  #ofTier({ name, limits, quota }: TierOptions): RouteLimit[] {
    const quotas = PERIODS.flatMap((period) => {
      const count = quota[period]
      return count === undefined
        ? []
        : [this.#limit({ name: `tier ${name} ${period}`, options: quotaOf(count), period })]
    })
    return [
      ...limits.map((use, index) => this.#use(use, nameOf(`tier ${name}`, index, limits.length))),
      ...quotas.map((limit) => ({ limit, cost: limit.options.cost })),
    ]
  }

  #use({ limit: which, cost }: LimitUse, ownName: string): RouteLimit {
    const limit =
      typeof which === 'string' ? this.#named(which) : this.#limit({ name: ownName, options: which, period: null })
    return { limit, cost: cost ?? limit.options.cost }
  }

  #named(name: string): Limit {
    const options = this.#settings.rateLimit[name]
    if (options === undefined) {
      throw new UnknownLimitError(name, Object.keys(this.#settings.rateLimit).join(', ') || 'none')
    }
    return this.#limit({ name, options, period: null })
  }

  #limit(shape: LimitShape): Limit {
    // No name of a limit has a blank or a slash: those of tiers and routes are apart.
    const known = this.#limits.get(shape.name)
    if (known !== undefined) return known.limit
    const limit = new Limit(shape, this.#store.hold(shape))
    this.#limits.set(shape.name, { shape, limit })
    return limit
  }
}

function because(reason: string | null | undefined): string {
  return reason == null ? '' : ` (${reason})`
}

function nameOf(owner: string, index: number, count: number): string {
  return count === 1 ? owner : `${owner} ${index + 1}`
}

function quotaOf(count: number): LimitOptions {
  return {
    rate: { count, windowMs: 86_400_000 },
    burst: count,
    by: ['consumer'],
    cost: 1,
    measured: null,
    mode: 'leased',
    dryRun: false,
    allowList: [],
    ipv6Subnet: 64,
    headers: 'draft',
    maxKeys: 1_000_000,
  }
}
