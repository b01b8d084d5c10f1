/**
 * Why a request that was to be copied was not.
 *
 * - `busy`: as many copies as may be were under way
 * - `body_too_large`: its body is larger than copied ones may be
 * - `body_incomplete`: its body did not come whole, or was not taken by its own upstream
 */
export const DROP_REASONS = ['busy', 'body_too_large', 'body_incomplete'] as const
export type DropReason = (typeof DROP_REASONS)[number]

/** What became of the copies of one route. */
export interface MirrorCounts {
  /** Given to the shadow's connections. */
  sent: number
  /** Of these, those that got no whole answer. */
  failed: number
  dropped: Record<DropReason, number>
}

/** Copies by route and shadow: plain integers, read when someone asks. Names come from the configuration alone. */
export class MirrorCounters {
  readonly #routes = new Map<string, { route: string; upstream: string; counts: MirrorCounts }>()

  /** The counters of a route's mirror, made at the first call. */
  mirror(route: string, upstream: string): MirrorCounts {
    const key = `${upstream} ${route}`
    let known = this.#routes.get(key)
    if (known === undefined) {
      const counts = { sent: 0, failed: 0, dropped: { busy: 0, body_too_large: 0, body_incomplete: 0 } }
      this.#routes.set(key, (known = { route, upstream, counts }))
    }
    return known.counts
  }

  snapshot(): { route: string; upstream: string; counts: MirrorCounts }[] {
    return [...this.#routes.values()]
  }
}
