import type { Exchange } from '../downstream/exchange.ts'
import type { ProxyPlan, RoutePlan } from '../proxy/plan.ts'
import type { ProxyContext } from '../proxy/proxy-context.ts'
import type { RequestCopy, RouteMirror } from '../proxy/route-mirror.ts'
import type { MirrorCounts } from './counters.ts'
import { MirrorCopy } from './mirror-copy.ts'
import type { MirrorOptions } from './options.ts'

export interface MirrorParts {
  /** How the shadow is asked. */
  plan: ProxyPlan
  counts: MirrorCounts
  /** 0…1, without 1 */
  random: () => number
  /** Told of what the gateway itself fails on: the client's request goes on. */
  failed: (error: unknown) => void
}

/**
 * Copies a share of a route's requests to a shadow upstream. What a copy comes to is nobody's concern but the counters':
 * the request itself is sent first, waits for nothing of it, and ends without it.
 *
 * Bounded by `inFlight`, which counts a copy from the first byte of its body on: so all that is kept is `inFlight` bodies of
 * `bodyBytes`.
 */
export class Mirror implements RouteMirror {
  readonly #options: MirrorOptions
  readonly #methods: ReadonlySet<string>
  readonly #parts: MirrorParts
  #inFlight = 0

  constructor(options: MirrorOptions, parts: MirrorParts) {
    this.#options = options
    this.#methods = new Set(options.methods)
    this.#parts = parts
  }

  copyOf(exchange: Exchange<RoutePlan>, context: ProxyContext): RequestCopy | null {
    const { share, bodyBytes, inFlight } = this.#options
    const { plan, counts, random, failed } = this.#parts
    if (!this.#methods.has(exchange.method) || (share < 1 && random() >= share)) return null
    if (exchange.body !== null && Number(exchange.fields.contentLength ?? 0) > bodyBytes) {
      counts.dropped.body_too_large++
      return null
    }
    if (this.#inFlight >= inFlight) {
      counts.dropped.busy++
      return null
    }
    try {
      const copy = new MirrorCopy(exchange, { plan, counts, context, bodyBytes, failed, over: () => this.#inFlight-- })
      this.#inFlight++
      return copy
    } catch (error) {
      failed(error)
      return null
    }
  }
}
