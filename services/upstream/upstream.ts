import { isDeepStrictEqual } from 'node:util'
import { type BalancedRequest, type Balancer, Roster } from './balance/balancer.ts'
import { createBalancer } from './balance/create.ts'
import { Sticky } from './balance/sticky.ts'
import type { Clock } from './clock.ts'
import { ConcurrencyLimiter } from './concurrency/limiter.ts'
import { Discovery } from './discovery/discovery.ts'
import { nameServerResolver, type Resolver } from './discovery/resolver.ts'
import { eligible, reserves } from './eligible.ts'
import type { UpstreamEvent, UpstreamListener } from './events.ts'
import { TargetHealth } from './health/target-health.ts'
import { fingerprintOf } from './fingerprint.ts'
import type { Http2Streams } from './http2-streams.ts'
import type { Member, TargetChange } from './membership.ts'
import type { UpstreamOptions } from './options.ts'
import { RetryBudget } from './retry/budget.ts'
import { RecentLatency } from './retry/recent-latency.ts'
import { absentTarget, type TargetSnapshot } from './snapshot.ts'
import { Target } from './target.ts'
import { TargetSet } from './target-set.ts'
import { specOf, type TargetSpec } from './target-spec.ts'
import { readTls, type TlsSettings } from './tls-settings.ts'

/** What all upstreams of a gateway share. */
export interface UpstreamParts {
  http2Streams: Http2Streams
  clock: Clock
  /** 0…1, without 1. */
  random: () => number
  resolver: Resolver
  tell: UpstreamListener
}

/** What the processes of one machine tell each other of a target that one of them has ejected. */
export interface SharedEjection {
  upstream: string
  target: string
  reason: string
  /** Milliseconds since 1970. */
  until: number
}

/** A service and its targets, which may come and go. */
export class Upstream {
  readonly name: string
  readonly options: UpstreamOptions
  /** Of its options and of the files that they name, as they were when it was made. */
  readonly fingerprint: string
  /** What retries and hedges may add. */
  readonly budget: RetryBudget
  /** How many requests it is asked at a time; `null` where nobody minds. */
  readonly concurrency: ConcurrencyLimiter | null
  /** `null` where clients are not kept at a target. */
  readonly sticky: Sticky | null
  readonly #parts: UpstreamParts
  readonly #tls: TlsSettings
  #listener: UpstreamListener
  readonly #balancer: Balancer
  readonly #set: TargetSet
  readonly #health: TargetHealth
  readonly #discoveries: Discovery[] = []
  /** Who may be chosen now. */
  #roster = new Roster<Target>([])
  #started = false
  #panic = false

  /** @throws HR_UPSTREAM_TLS */
  constructor(options: UpstreamOptions, parts: UpstreamParts) {
    this.name = options.name
    this.options = options
    this.fingerprint = fingerprintOf(options)
    this.#parts = parts
    this.#tls = readTls(options)
    this.budget = new RetryBudget(options.retryBudget)
    this.concurrency = options.concurrency === null ? null : new ConcurrencyLimiter(options.concurrency)
    this.#listener = parts.tell
    this.#balancer = createBalancer(options.balance, parts.random)
    this.sticky = options.sticky === null ? null : new Sticky(options.name, options.sticky)
    this.#health = new TargetHealth(options, {
      clock: parts.clock,
      random: parts.random,
      members: () => this.#set.present.filter(({ draining }) => !draining),
      changed: () => this.#refresh(),
      tell: (event) => this.#tell(event),
    })
    this.#set = new TargetSet({
      upstream: options.name,
      clock: parts.clock,
      drainTimeoutMs: options.drainTimeoutMs,
      create: (member) => this.#create(member),
      changed: (added, removed) => this.#changed(added, removed),
    })
    const written = options.targets.filter(({ via }) => via === 'origin')
    this.#set.found(
      'written',
      written.map((target) => specOf(target)),
    )
  }

  /** Tells another of what happens from now on. */
  tellTo(listener: UpstreamListener): void {
    this.#listener = listener
  }

  /** Takes what was said of targets at run time from an upstream that is configured alike in them. @returns itself */
  recalling(other: Upstream | undefined): this {
    if (other === undefined || !isDeepStrictEqual(this.options.targets, other.options.targets)) return this
    for (const change of other.#set.said) this.change(change)
    return this
  }

  /** Begins to look after what changes by itself. */
  start(): void {
    if (this.#started) return
    this.#started = true
    for (const target of this.targets) this.#health.begin(target, false)
    for (const target of this.options.targets) if (target.via !== 'origin') this.#discover(target)
  }

  /** Resolves once every name was looked up. */
  async known(): Promise<void> {
    await Promise.all(this.#discoveries.map(({ ready }) => ready))
  }

  /** In the order of the configuration, then of their coming. */
  get targets(): readonly Target[] {
    return this.#set.present
  }

  /**
   * The target for the next request; `undefined` where there is none.
   *
   * @param request `undefined`: one of the gateway's own
   */
  pick(request?: BalancedRequest): Target | undefined {
    const roster = this.#roster
    const { targets } = roster
    if (targets.length <= 1) return targets[0]
    if (this.sticky !== null && request !== undefined) {
      const wanted = this.sticky.wanted(request)
      const kept = wanted === undefined ? undefined : targets.find(({ stickyId }) => stickyId === wanted)
      if (kept !== undefined) return kept
    }
    return this.#balancer(roster, request)
  }

  /**
   * A target for one more attempt; `undefined` where none is left: those tried, those that have asked to be left alone and
   * those with too many waiting are not chosen.
   */
  pickOther(request: BalancedRequest, tried: readonly Target[]): Target | undefined {
    return this.#choose(this.#roster.targets, { request, tried })
  }

  /** As {@link pickOther}, for one that has failed: where none of those is left, one of the next priority that has one. */
  pickNext(request: BalancedRequest, tried: readonly Target[]): Target | undefined {
    const { targets } = this.#roster
    const other = this.#choose(targets, { request, tried })
    if (other !== undefined) return other
    const levels = Map.groupBy(reserves(this.#set.present, targets), ({ priority }) => priority)
    for (const level of levels.values()) {
      const reserve = this.#choose(level, { request, tried })
      if (reserve !== undefined) return reserve
    }
    return undefined
  }

  #choose(
    targets: readonly Target[],
    { request, tried }: { request: BalancedRequest; tried: readonly Target[] },
  ): Target | undefined {
    const now = performance.now()
    const others = targets.filter((target) => !tried.includes(target) && target.restsUntil <= now && !target.full)
    return others.length === 0 ? undefined : this.#balancer(new Roster(others), request)
  }

  /** Begins to keep in mind how long answers take: {@link latencyAt}. */
  watchLatency(): void {
    this.#health.latency ??= new RecentLatency()
    this.#refresh()
  }

  /** Milliseconds within which so many answers of late have begun, 0…1; `undefined` where too few are known. */
  latencyAt(quantile: number): number | undefined {
    return this.#health.latency?.percentile(performance.now(), quantile)
  }

  /** A time, or down to half of it, by chance: so that many who wait do not come back together. */
  jitter(ms: number): number {
    return ms === 0 ? 0 : ms * (0.5 + 0.5 * this.#parts.random())
  }

  /** Milliseconds until a breaker is tried, where breakers are what keeps requests away; `null` where they are not. */
  get barredForMs(): number | null {
    const waits = this.targets.flatMap(({ draining, breaker }) => (draining ? [] : (breaker?.triedAt ?? [])))
    return waits.length === 0 ? null : Math.max(0, Math.min(...waits) - this.#parts.clock.now())
  }

  /** Does to one target what the control plane says. @throws HR_UPSTREAM_TARGET */
  change(change: TargetChange): void {
    const { url, weight } = change
    this.#set.change(change, { url, origin: url, address: null, weight: weight ?? 1, priority: 0 })
  }

  /** Leaves a target alone that another process has ejected; one that is not known here is passed over. */
  follow({ target: url, reason, until }: SharedEjection): void {
    const target = this.#set.present.find((one) => one.url === url)
    if (target !== undefined) this.#health.follow(target, { reason, forMs: until - Date.now() })
  }

  /** Every target, those that are leaving too; a name that leads to none is told as one that is down. */
  snapshot(): TargetSnapshot[] {
    const { connections, required } = this.options
    const concurrency = this.concurrency?.snapshot() ?? null
    const lost = this.#discoveries.filter(({ found, failure }) => !found && failure !== null)
    return [
      ...this.#set.all.map((target) => ({ ...target.snapshot(), concurrency })),
      ...lost.map(({ target: { url, weight }, failure }) =>
        absentTarget({ upstream: this.name, target: url, required, weight, limit: connections, failure }),
      ),
    ]
  }

  /** Ends every connection; requests in flight are cut. */
  async close(): Promise<void> {
    for (const discovery of this.#discoveries) discovery.close()
    for (const target of this.#set.all) this.#health.end(target)
    await this.#set.close()
  }

  #create(member: Member): Target {
    const { http2Streams } = this.#parts
    const target = new Target(member, this.options, { http2Streams, sticky: this.sticky, tls: this.#tls })
    this.#health.equip(target)
    return target
  }

  #discover(target: UpstreamOptions['targets'][number]): void {
    const { resolver, clock } = this.#parts
    const { nameServers } = this.options
    const discovery = new Discovery(target, {
      resolver: nameServers.length === 0 ? resolver : nameServerResolver(nameServers),
      clock,
      refreshMs: this.options.refreshMs,
      found: (specs: readonly TargetSpec[]) => this.#set.found(target.url, specs),
      failed: ({ message }) =>
        this.#tell({ type: 'lookup-failed', upstream: this.name, name: target.url, reason: message }),
    })
    this.#discoveries.push(discovery)
  }

  #tell(event: UpstreamEvent): void {
    this.#listener(event)
  }

  #changed(added: readonly Target[], removed: readonly Target[]): void {
    if (this.#started && added.length + removed.length > 0) {
      const urls = (targets: readonly Target[]): string[] => targets.map(({ url }) => url)
      this.#tell({ type: 'targets', upstream: this.name, added: urls(added), removed: urls(removed) })
      // Where all are new, none is colder than another.
      for (const target of added) this.#health.begin(target, added.length < this.targets.length)
    }
    for (const target of removed) this.#health.end(target)
    this.#refresh()
  }

  /** Makes up anew who may be chosen. */
  #refresh(): void {
    const members = this.#set.present
    const { targets, panic } = eligible(members, this.options.panicBelow)
    this.#roster = new Roster(targets)
    const watcher = this.#health.watcherOf(members.length)
    for (const target of members) target.watcher = watcher
    if (panic === this.#panic) return
    this.#panic = panic
    this.#tell({ type: panic ? 'panic' : 'panic-over', upstream: this.name })
  }
}
