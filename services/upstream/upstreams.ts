import type { Readable } from 'node:stream'
import { Deadlines } from './deadlines.ts'
import { UnknownUpstreamError } from './errors.ts'
import type { UpstreamOptions } from './options.ts'
import { Prober } from './probe.ts'
import type { TargetSnapshot } from './snapshot.ts'
import { Target } from './target.ts'

/** How late a deadline may be noticed: a hundredth of the shortest timeout, within bounds that keep the timer cheap. */
const SHORTEST_TICK_MS = 5
const LONGEST_TICK_MS = 100
const PROBE_LIMIT_MS = 2_000

/** An answer to the gateway itself. */
export interface UpstreamResponse {
  status: number
  location: string | undefined
  body: Readable
}

/** A service and its targets. */
export class Upstream {
  readonly name: string
  readonly options: UpstreamOptions
  readonly targets: readonly Target[]
  #turn = 0

  constructor(options: UpstreamOptions) {
    this.name = options.name
    this.options = options
    this.targets = options.targets.map((url) => new Target(url, options))
  }

  /** The target for the next request: the one with fewer requests in flight of two neighbours in turn. */
  pick(): Target {
    const { targets } = this
    if (targets.length === 1) return targets[0] as Target
    this.#turn = (this.#turn + 1) % targets.length
    const one = targets[this.#turn] as Target
    const other = targets[(this.#turn + 1) % targets.length] as Target
    return other.inFlight < one.inFlight ? other : one
  }
}

/** All upstreams of a gateway, with their connections and counters. Close it when the gateway closes. */
export class Upstreams {
  readonly deadlines: Deadlines
  readonly #byName: ReadonlyMap<string, Upstream>
  readonly #prober: Prober

  /** @throws HR_UPSTREAM_TLS */
  constructor(upstreams: readonly UpstreamOptions[]) {
    const shortest = Math.min(
      ...upstreams.flatMap(({ timeout }) =>
        [timeout.firstByteMs, timeout.idleMs, timeout.totalMs].filter((ms) => ms > 0),
      ),
    )
    const tickMs = Math.min(LONGEST_TICK_MS, Math.max(SHORTEST_TICK_MS, shortest / 20))
    this.deadlines = new Deadlines({ tickMs })
    this.#prober = new Prober({ deadlines: this.deadlines, limitMs: PROBE_LIMIT_MS })
    this.#byName = new Map(upstreams.map((options) => [options.name, new Upstream(options)]))
  }

  /** @throws HR_UPSTREAM_UNKNOWN */
  get(name: string): Upstream {
    const upstream = this.#byName.get(name)
    if (upstream === undefined) throw new UnknownUpstreamError(name, [...this.#byName.keys()].join(', ') || 'none')
    return upstream
  }

  /** Every target as plain data, in the configuration's order. */
  snapshot(): TargetSnapshot[] {
    return this.#targets().map((target) => target.snapshot())
  }

  /**
   * A GET to an upstream for the gateway's own use (its OpenAPI document, say). The caller reads the body to its end or
   * destroys it.
   */
  async request(name: string, path: string, signal?: AbortSignal): Promise<UpstreamResponse> {
    const upstream = this.get(name)
    const target = upstream.pick()
    const { statusCode, headers, body } = await target.pool.request({
      path,
      method: 'GET',
      headers: { accept: 'application/json, application/yaml;q=0.9, */*;q=0.1' },
      headersTimeout: upstream.options.timeout.firstByteMs,
      bodyTimeout: upstream.options.timeout.idleMs,
      ...(signal && { signal }),
    })
    target.state = 'up'
    const { location } = headers
    return { status: statusCode, location: typeof location === 'string' ? location : undefined, body }
  }

  /**
   * Finds out whether targets accept connections whose state nobody knows, or that did not at the last attempt. Bounded by
   * their connect timeout and two seconds.
   */
  async probe(): Promise<void> {
    await this.#prober.probe(this.#targets())
  }

  /** Ends every connection; requests in flight are cut. */
  async close(): Promise<void> {
    this.deadlines.close()
    await Promise.all(this.#targets().map((target) => target.pool.destroy()))
  }

  #targets(): Target[] {
    return [...this.#byName.values()].flatMap(({ targets }) => targets)
  }
}
