/** "Now" of the generated data: fixed, so that rows, ETags and Last-Modified are the same in every run. */
export const EPOCH_MS = Date.UTC(2026, 5, 1, 8)

export const DAY_MS = 86_400_000

/** A moment `days` before the epoch, as an RFC 3339 timestamp with whole seconds. */
export function daysBefore(days: number): string {
  return new Date(Math.floor((EPOCH_MS - days * DAY_MS) / 1000) * 1000).toISOString()
}

/** The calendar day of a moment `days` before the epoch (after it, if negative): `2026-05-31`. */
export function dayBefore(days: number): string {
  return daysBefore(days).slice(0, 10)
}
