/** What decides whether a target may be chosen. */
export interface Standing {
  /** Lower ones are used first. */
  readonly priority: number
  /** It leaves, or was told to take nothing new. */
  readonly draining: boolean
  /** Nothing may be sent to it now, whatever else: its breaker is open. */
  readonly barred: boolean
  /** Nothing is known that speaks against it. */
  readonly sound: boolean
}

export interface Eligible<T> {
  targets: readonly T[]
  /** So few are sound that all are used: bad health that is said of nearly everybody is more likely to be a mistake. */
  panic: boolean
}

/**
 * Who may be chosen, of those that take requests: the sound ones of the lowest priority that has some. Where nobody is
 * sound, all of the lowest.
 *
 * @param panicBelow share of sound targets below which a priority is not served by them alone; 0: they are never too few
 */
export function eligible<T extends Standing>(members: readonly T[], panicBelow: number): Eligible<T> {
  const takers = members.filter(({ draining, barred }) => !draining && !barred)
  const priorities = [...new Set(takers.map(({ priority }) => priority))].toSorted((a, b) => a - b)
  const levels = priorities.map((priority) => takers.filter((target) => target.priority === priority))
  for (const level of levels) {
    const sound = level.filter((target) => target.sound)
    if (sound.length > 0 && sound.length >= panicBelow * level.length) return { targets: sound, panic: false }
  }
  return { targets: levels[0] ?? [], panic: levels.length > 0 }
}

/**
 * Who takes over what those that are chosen could not do: the sound ones of each further priority, in order (RFC 2782: the
 * lowest priority that can be reached).
 *
 * @param chosen of one priority, as {@link eligible} has chosen them
 */
export function reserves<T extends Standing>(members: readonly T[], chosen: readonly T[]): readonly T[] {
  const used = chosen[0]?.priority ?? Number.NEGATIVE_INFINITY
  return members
    .filter(({ priority, draining, barred, sound }) => priority > used && !draining && !barred && sound)
    .toSorted((a, b) => a.priority - b.priority)
}
