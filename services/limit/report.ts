/** What one limit has done. */
export interface LimitLine {
  name: string
  /** In words: how much, for whom. */
  description: string
  mode: 'leased' | 'exact'
  /** It only counts. */
  dryRun: boolean
  /** Requests that it has let pass. */
  allowed: number
  /** Requests that it has refused. */
  limited: number
  /** Requests that it would have refused, were it in force. */
  wouldLimit: number
  /** Requests that it does not hold for. */
  exempt: number
  /** Keys that have used something: the least of all processes. */
  keys: number
  /** The keys that were refused most often. What a field or a claim says is told by a digest. */
  refused: { key: string; count: number }[]
}

/** How what is shared is shared. */
export interface SharingLine {
  /** Who keeps it: `redis`, `supervisor`. */
  ledger: string
  ready: boolean
  /** What was asked of it, and answered. */
  done: number
  /** What was asked of it, and not answered. */
  failed: number
  /** Decisions that a process made by itself because it was away or late. */
  alone: number
}

export interface LimitReport {
  limits: LimitLine[]
  /** `null` for a single process without Redis. */
  shared: SharingLine | null
}

const MOST_REFUSED = 10

/** Of all processes: what was counted is added up, and a ledger is ready where it is for each of them. */
export function mergeLimits(parts: readonly LimitReport[]): LimitReport {
  const names = new Set(parts.flatMap(({ limits }) => limits.map(({ name }) => name)))
  const limits = [...names].map((name) =>
    parts
      .flatMap((part) => part.limits.filter((limit) => limit.name === name))
      .reduce((a, b) => ({
        ...a,
        allowed: a.allowed + b.allowed,
        limited: a.limited + b.limited,
        wouldLimit: a.wouldLimit + b.wouldLimit,
        exempt: a.exempt + b.exempt,
        keys: Math.max(a.keys, b.keys),
        refused: mergeRefused([...a.refused, ...b.refused]),
      })),
  )
  const shared = parts.flatMap((part) => part.shared ?? [])
  return { limits, shared: shared.length === 0 ? null : shared.reduce(mergeSharing) }
}

function mergeSharing(a: SharingLine, b: SharingLine): SharingLine {
  return {
    ledger: a.ledger,
    ready: a.ready && b.ready,
    done: a.done + b.done,
    failed: a.failed + b.failed,
    alone: a.alone + b.alone,
  }
}

function mergeRefused(all: LimitLine['refused']): LimitLine['refused'] {
  const counts = new Map<string, number>()
  for (const { key, count } of all) counts.set(key, (counts.get(key) ?? 0) + count)
  return [...counts]
    .map(([key, count]) => ({ key, count }))
    .sort((a, b) => b.count - a.count)
    .slice(0, MOST_REFUSED)
}
