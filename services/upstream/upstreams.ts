import type { Readable } from 'node:stream'
import { Shared } from '../lifetime/shared.ts'
import { type Clock, systemClock } from './clock.ts'
import { Deadlines } from './deadlines.ts'
import { systemResolver } from './discovery/resolver.ts'
import { NoTargetError, UnknownUpstreamError } from './errors.ts'
import type { UpstreamEvent, UpstreamListener } from './events.ts'
import { Http2Streams } from './http2-streams.ts'
import type { TargetChange } from './membership.ts'
import type { UpstreamOptions } from './options.ts'
import { Prober } from './probe.ts'
import type { TargetSnapshot } from './snapshot.ts'
import { fingerprintOf } from './fingerprint.ts'
import { type SharedEjection, Upstream, type UpstreamParts } from './upstream.ts'

/** How late a deadline may be noticed where no route wants it sooner. */
const LONGEST_TICK_MS = 25
const PROBE_LIMIT_MS = 2_000
/** How long the start may wait for name servers. */
const KNOWN_LIMIT_MS = 2_000
/** Longer than a busy upstream is deaf, shorter than a person waits for the gateway to find another connection. */
const PING_LIMIT_MS = 5_000

/** An answer to the gateway itself. */
export interface UpstreamResponse {
  status: number
  location: string | undefined
  body: Readable
}

/** An upstream, and what its targets are called. */
export interface UpstreamTargets {
  name: string
  targets: string[]
}

/** What tests may put in the place of the system's. */
type ReplaceableParts = Omit<UpstreamParts, 'http2Streams' | 'tell'>

/** All upstreams of a gateway, with their connections and counters. Close it when the gateway closes. */
export class Upstreams {
  readonly deadlines: Deadlines
  readonly #byName: ReadonlyMap<string, Shared<Upstream>>
  readonly #listeners = new Set<UpstreamListener>()
  readonly #prober: Prober
  readonly #clock: Clock
  readonly #http2Streams: Shared<Http2Streams>
  #closed = false

  /**
   * @param options.previous those of the gateway that this one takes the place of: what is the same is taken over as it is,
   *   with its connections, counters and health, and closed when neither needs it any more. What was said of targets at run
   *   time holds where the configuration says the same of them as before
   * @param options.parts for tests: the time, chance and the name servers
   * @throws HR_UPSTREAM_TLS
   */
  constructor(
    upstreams: readonly UpstreamOptions[],
    { previous = null, parts = {} }: { previous?: Upstreams | null; parts?: Partial<ReplaceableParts> } = {},
  ) {
    this.deadlines = new Deadlines({ tickMs: LONGEST_TICK_MS })
    this.#prober = new Prober({ deadlines: this.deadlines, limitMs: PROBE_LIMIT_MS })
    const before = previous === null ? NOTHING : { streams: previous.#http2Streams, byName: previous.#byName }
    // One for both: connections that are taken over are watched by the one that has made them.
    const streams = before.streams ?? createHttp2Streams()
    const all: UpstreamParts = {
      http2Streams: streams.value,
      clock: systemClock,
      random: Math.random,
      resolver: systemResolver(),
      tell: this.#tell,
      ...parts,
    }
    this.#clock = all.clock
    const known = upstreams.map((options) => {
      const same = before.byName.get(options.name)
      return same?.value.fingerprint === fingerprintOf(options) ? same : undefined
    })
    // Taken over once nothing can fail any more: what is taken has to be given back.
    const made = upstreams.map((options, index) => {
      const last = before.byName.get(options.name)?.value
      return known[index] ?? shared(new Upstream(options, all).recalling(last))
    })
    for (const upstream of known) upstream?.share()
    this.#http2Streams = streams === before.streams ? streams.share() : streams
    this.#byName = new Map(made.map((upstream) => [upstream.value.name, upstream]))
  }

  /** Begins to look after what changes by itself: names. Resolves once each was looked up, or after two seconds. */
  async start(): Promise<void> {
    const upstreams = this.#all()
    for (const upstream of upstreams) {
      // One that was taken over has told another.
      upstream.tellTo(this.#tell)
      upstream.start()
    }
    await this.#within(
      KNOWN_LIMIT_MS,
      upstreams.map((upstream) => upstream.known()),
    )
  }

  readonly #tell = (event: UpstreamEvent): void => {
    for (const listener of this.#listeners) listener(event)
  }

  /** Resolves when all have, or at the time. */
  async #within(limitMs: number, done: readonly Promise<void>[]): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const callOff = this.#clock.after(limitMs, resolve)
    await Promise.race([promise, Promise.all(done)])
    callOff()
  }

  /** @throws HR_UPSTREAM_UNKNOWN */
  get(name: string): Upstream {
    const upstream = this.#byName.get(name)
    if (upstream === undefined) throw new UnknownUpstreamError(name, [...this.#byName.keys()].join(', ') || 'none')
    return upstream.value
  }

  /** Every target as plain data, in the configuration's order. */
  snapshot(): TargetSnapshot[] {
    return this.#all().flatMap((upstream) => upstream.snapshot())
  }

  /** Every upstream, and what its targets are called now. */
  list(): UpstreamTargets[] {
    return this.#all().map(({ name, targets }) => ({ name, targets: targets.map(({ url }) => url) }))
  }

  /** Does to one target what the control plane says; a process that starts later may hear of upstreams that are no more. */
  change(upstream: string, change: TargetChange): void {
    this.#byName.get(upstream)?.value.change(change)
  }

  /** Leaves a target alone that another process has ejected. */
  follow(ejection: SharedEjection): void {
    this.#byName.get(ejection.upstream)?.value.follow(ejection)
  }

  /** Is told of what happens from now on. @returns ends that */
  watch(listener: UpstreamListener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /**
   * A GET to an upstream for the gateway's own use (its OpenAPI document, say). The caller reads the body to its end or
   * destroys it.
   */
  async request(name: string, path: string, signal?: AbortSignal): Promise<UpstreamResponse> {
    const upstream = this.get(name)
    const target = upstream.pick()
    if (target === undefined) throw new NoTargetError(name)
    const { statusCode, headers, body } = await target.pool.request({
      path,
      method: 'GET',
      headers: { accept: 'application/json, application/yaml;q=0.9, */*;q=0.1' },
      headersTimeout: upstream.options.timeout.firstByteMs,
      bodyTimeout: upstream.options.timeout.idleMs,
      ...(signal && { signal }),
    })
    target.reached = 'up'
    const { location } = headers
    return { status: statusCode, location: typeof location === 'string' ? location : undefined, body }
  }

  /**
   * Finds out whether targets accept connections whose state nobody knows, or that did not at the last attempt; those with
   * a health check are waited for until its first answer. Bounded by their connect timeout and two seconds.
   */
  async probe(): Promise<void> {
    const targets = this.#all().flatMap((upstream) => upstream.targets)
    await Promise.all([
      this.#prober.probe(targets.filter(({ check }) => check === null)),
      this.#within(
        PROBE_LIMIT_MS,
        targets.flatMap(({ check }) => check?.first ?? []),
      ),
    ])
  }

  /** Ends every connection but those of upstreams that another gateway has taken over; requests in flight are cut. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.deadlines.close()
    await Promise.all([...this.#byName.values()].map((upstream) => upstream.release()))
    await this.#http2Streams.release()
  }

  #all(): Upstream[] {
    return [...this.#byName.values()].map(({ value }) => value)
  }
}

const NOTHING = { streams: null, byName: new Map<string, Shared<Upstream>>() }

function shared(upstream: Upstream): Shared<Upstream> {
  return new Shared(upstream, () => upstream.close())
}

function createHttp2Streams(): Shared<Http2Streams> {
  return new Shared(new Http2Streams({ pingLimitMs: PING_LIMIT_MS }), (streams) => streams.close())
}
