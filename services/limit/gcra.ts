/**
 * The generic cell rate algorithm (ITU-T I.371, annex A; the "virtual scheduling" form). One number a key says everything:
 * the *theoretical arrival time*, at which the bucket would be full again. A request of cost `c` moves it on by `c · interval`
 * and passes where it is then at most `burst · interval` ahead of the clock. So in any time `t` no more than
 * `burst + t / interval` pass.
 *
 * Times are doubles, in milliseconds. A double holds the milliseconds of a century to 2⁻¹¹ ms; what adding up costs beyond
 * that is allowed for by {@link SLACK}, so that the last request of a burst is not lost to it.
 */
export interface Pace {
  /** Milliseconds (of a quota: units) in which one unit comes back. */
  interval: number
  /** Units that may be used at once. */
  burst: number
  /** How far, beyond an empty bucket, what is charged afterwards may go: in units. */
  debt: number
}

/** A part of a unit that rounding may have taken: one in a thousand. */
const SLACK = 1e-3

/** Sustained rate and burst. Debt is bounded by one window: what is charged afterwards keeps nobody out for longer. */
export function paceOf({ count, windowMs }: { count: number; windowMs: number }, burst: number): Pace {
  return { interval: windowMs / count, burst, debt: count }
}

/** Whole units that are there. @param tat theoretical arrival time; 0 for a key that nothing is known of */
export function unitsLeft({ interval, burst }: Pace, tat: number, now: number): number {
  const ahead = tat > now ? tat - now : 0
  const left = Math.floor(burst - ahead / interval + SLACK)
  return left > 0 ? left : 0
}

/** The theoretical arrival time once a request of this cost has passed; -1 where it may not. */
export function advance({ interval, burst }: Pace, tat: number, now: number, cost: number): number {
  const next = (tat > now ? tat : now) + cost * interval
  return next - now <= (burst + SLACK) * interval ? next : -1
}

/** In how many milliseconds so many units are there; 0: now. */
export function waitFor({ interval, burst }: Pace, tat: number, now: number, units: number): number {
  const wait = (tat > now ? tat - now : 0) - (burst - units) * interval
  return wait > SLACK * interval ? wait : 0
}

/** The theoretical arrival time once this was used, whether or not it was there; a negative cost gives it back. */
export function charge({ interval, burst, debt }: Pace, tat: number, now: number, cost: number): number {
  const next = (tat > now ? tat : now) + cost * interval
  const most = now + (burst + debt) * interval
  return next > most ? most : next > now ? next : now
}
