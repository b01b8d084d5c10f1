import type { Pool } from 'undici'
import { Histogram } from '../monitor/histogram.ts'
import type { Candidate } from './balance/balancer.ts'
import { hashOf } from './balance/hashing.ts'
import type { Sticky } from './balance/sticky.ts'
import type { AttemptWatcher } from './attempt-watcher.ts'
import type { Breaker } from './breaker/breaker.ts'
import type { Connection } from './connection.ts'
import type { ConnectionPool } from './connection-pool.ts'
import { Dialer } from './dial.ts'
import type { Standing } from './eligible.ts'
import type { HealthCheck } from './health/health-check.ts'
import { type Ejection, OutlierRecord } from './health/outliers.ts'
import type { Http2Streams } from './http2-streams.ts'
import type { Member } from './membership.ts'
import type { UpstreamOptions } from './options.ts'
import { BLAMELESS, noOutcomes, type Outcome, type TargetSnapshot, type TargetState } from './snapshot.ts'
import type { TlsSettings } from './tls-settings.ts'

/** A connection that has switched to another protocol: the pool knows nothing of it. */
export interface Guest {
  /** Its target ends its connections. */
  leave(): void
}

/** One origin of an upstream: its connection pool, and what happened on it in plain integers. */
export class Target implements Candidate, Standing {
  readonly upstream: string
  /** `http://host:port`, `https://host`, `h2c://host:port`, `unix:/path`: what it is called. */
  readonly url: string
  readonly hash: number
  /** What stands for it in the cookies of clients. */
  readonly stickyId: string
  /** The Host field that the target gets by default. */
  readonly authority: string
  readonly pool: ConnectionPool | Pool
  /** Its share, as far as it has it yet. */
  weight = 1
  priority: number
  draining: boolean
  credit = 0
  /** Who learns from its requests; `null` where nobody would do anything with it. */
  watcher: AttemptWatcher | null = null
  check: HealthCheck | null = null
  /** `null` where its upstream has none. */
  breaker: Breaker | null = null
  readonly outlier = new OutlierRecord()
  #share: number
  #ramp = 1
  /** Requests given to the pool that are not over yet, and guests. */
  inFlight = 0
  readonly #guests = new Set<Guest>()
  /** Requests that failed here and were sent again, by why. */
  readonly retries: TargetSnapshot['retries'] = { stale: 0, connect: 0, reset: 0, timeout: 0, status: 0, hedge: 0 }
  /** Those that the budget left without another attempt. */
  retriesDenied = 0
  /** It asked to be left alone so long: on the clock of `performance.now()`. */
  restsUntil = 0
  /** Whether it could be connected to, the last time somebody tried. */
  reached: 'unknown' | 'up' | 'down' = 'unknown'
  lastError: TargetSnapshot['lastError'] = null
  readonly outcomes = noOutcomes()
  /** One for each outcome that has occurred: most targets know two or three. */
  readonly #latency: Partial<Record<Outcome, Histogram>> = {}
  readonly #options: UpstreamOptions
  readonly #dialer: Dialer
  /** Called when nothing is in flight any more. */
  #left: (() => void) | undefined

  /** @param parts.tls of its upstream */
  constructor(
    member: Member,
    options: UpstreamOptions,
    { http2Streams, sticky, tls }: { http2Streams: Http2Streams; sticky: Sticky | null; tls: TlsSettings },
  ) {
    this.#options = options
    this.upstream = options.name
    this.url = member.url
    this.hash = hashOf(member.url)
    this.stickyId = sticky?.idOf(member.url) ?? ''
    this.#share = member.weight
    this.#weigh()
    this.priority = member.priority
    this.draining = member.draining
    this.#dialer = new Dialer(member, options, { http2Streams, tls })
    this.authority = this.#dialer.authority
    this.pool = this.#dialer.pool()
  }

  get sound(): boolean {
    return this.check?.healthy !== false && this.outlier.ejected === null
  }

  get ramp(): number {
    return this.#ramp
  }

  /** How much of its share it has: 0…1. */
  set ramp(ramp: number) {
    this.#ramp = ramp
    this.#weigh()
  }

  /** A connection beside the pool, which opens itself. */
  connect(): Connection {
    return this.#dialer.connection()
  }

  /** The same for a request that asks for another protocol; `null` where the target speaks none that could be left. */
  connectToSwitch(): Connection | null {
    return this.#dialer.switchable()
  }

  /** What is said of it now; also of one that was leaving. */
  adapt({ weight, priority, draining }: Member): void {
    this.#share = weight
    this.#weigh()
    this.priority = priority
    this.draining = draining
    this.#left = undefined
  }

  /** It gets nothing new. @param left is called once what it has is over */
  leave(left: () => void): void {
    this.draining = true
    if (this.inFlight === 0) left()
    else this.#left = left
  }

  /** Ends every connection; requests in flight fail, and guests are told to go. */
  close(): Promise<void> {
    this.breaker?.close()
    // What it had ends because of this: nobody waits for that any more.
    this.#left = undefined
    for (const guest of this.#guests) guest.leave()
    return this.pool.destroy()
  }

  get barred(): boolean {
    return this.breaker !== null && !this.breaker.admits
  }

  /** A request was given to the pool. @returns the ticket of the breaker, 0 where there is none */
  acquire(): number {
    this.inFlight++
    return this.breaker === null ? 0 : this.breaker.enter()
  }

  /** It is over. */
  release(): void {
    this.inFlight--
    if (this.inFlight === 0) this.#left?.()
  }

  /** Takes in a connection that has switched: it is work as a request in flight is, until it is let go. */
  host(guest: Guest): void {
    this.#guests.add(guest)
    this.inFlight++
  }

  /** It is over; also of one that is no guest any more. */
  letGo(guest: Guest): void {
    if (this.#guests.delete(guest)) this.release()
  }

  /** What is in flight over connections of the pool. */
  get #pooled(): number {
    return this.inFlight - this.#guests.size
  }

  /** `true` while a further request would wait behind more than `queue` others. */
  get full(): boolean {
    const { connections, queue } = this.#options
    // Over HTTP/2 a connection takes many: only what waits counts, which is dearer to find out.
    return this.#pooled >= connections + queue && (!this.#dialer.multiplexes || this.pool.stats.pending >= queue)
  }

  /**
   * Books how an attempt ended.
   *
   * @param ms from dispatch to the response head for `response`, to the end for everything else
   */
  settle(outcome: Outcome, code: string, ms: number): void {
    this.outcomes[outcome]++
    ;(this.#latency[outcome] ??= new Histogram()).record(ms)
    this.#learn(outcome, code)
  }

  /** Books what a probe has found, which counts as no attempt. A late answer came over a connection: that is enough here. */
  probed(outcome: Outcome, code: string): void {
    this.#learn(outcome, code)
    if (outcome === 'first_byte_timeout') this.reached = 'up'
  }

  #learn(outcome: Outcome, code: string): void {
    if (outcome === 'response') this.reached = 'up'
    else if (!BLAMELESS.has(outcome)) {
      this.lastError = { outcome, code, at: Date.now() }
      if (outcome === 'connect_error' || outcome === 'connect_timeout') this.reached = 'down'
    }
  }

  #weigh(): void {
    this.weight = this.#share * this.#ramp
  }

  get #state(): TargetState {
    if (this.draining) return 'draining'
    if (this.check?.healthy === false) return 'unhealthy'
    if (this.breaker?.state === 'open') return 'open'
    if (this.outlier.ejected !== null) return 'ejected'
    return this.check?.healthy === true ? 'up' : this.reached
  }

  snapshot(): TargetSnapshot {
    const { connected, free, pending, running } = this.pool.stats
    return {
      upstream: this.upstream,
      target: this.url,
      required: this.#options.required,
      state: this.#state,
      weight: this.weight,
      connections: {
        limit: this.#options.connections,
        connected,
        free,
        running,
        pending,
        queued: this.#dialer.multiplexes ? pending : Math.max(0, this.#pooled - this.#options.connections),
      },
      outcomes: { ...this.outcomes },
      retries: { ...this.retries },
      retriesDenied: this.retriesDenied,
      lastError: this.lastError,
      check: checkSnapshot(this.check),
      breaker: this.breaker === null ? null : { state: this.breaker.state, opened: this.breaker.opened },
      concurrency: null,
      ejections: { count: this.outlier.count, now: ejectionSnapshot(this.outlier.ejected) },
      latency: Object.fromEntries(Object.entries(this.#latency).map(([outcome, held]) => [outcome, held.snapshot()])),
    }
  }
}

function checkSnapshot(check: HealthCheck | null): TargetSnapshot['check'] {
  return check === null ? null : { passed: check.passed, failed: check.failed, last: check.last }
}

function ejectionSnapshot(ejection: Ejection | null): TargetSnapshot['ejections']['now'] {
  return ejection === null ? null : { reason: ejection.reason, until: ejection.until }
}
