/** Why a request went to its side: a rule, what it has in common with others of its client, or the shares alone. */
export const SPLIT_REASONS = ['rule', 'sticky', 'share'] as const
export type SplitReason = (typeof SPLIT_REASONS)[number]

/** Requests that went to one side, by why. */
export type SideCounts = Record<SplitReason, number>

/** Requests by route and side: plain integers, read when someone asks. Names come from the configuration alone. */
export class SplitCounters {
  readonly #routes = new Map<string, Map<string, SideCounts>>()

  /** The counters of a side, made at the first call. */
  side(route: string, upstream: string): SideCounts {
    let sides = this.#routes.get(route)
    if (sides === undefined) this.#routes.set(route, (sides = new Map()))
    let counts = sides.get(upstream)
    if (counts === undefined) sides.set(upstream, (counts = { rule: 0, sticky: 0, share: 0 }))
    return counts
  }

  snapshot(): { route: string; upstream: string; counts: SideCounts }[] {
    return [...this.#routes].flatMap(([route, sides]) =>
      [...sides].map(([upstream, counts]) => ({ route, upstream, counts })),
    )
  }
}
