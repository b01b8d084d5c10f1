import { laxReadings } from '../http/canonical-path.ts'

/**
 * Another reading of a canonical path, one that a laxer parser may make, under which it reaches something that asks its
 * callers for something else than what it was routed to: whoever has passed one guard has not passed the other.
 *
 * @param guard of what the path was routed to
 * @param guardOf what a reading reaches; empty for something that asks nobody
 * @returns `undefined` where there is none; `null` for one that leaves the root
 */
export function guardedReading(
  path: string,
  guard: string,
  guardOf: (reading: string) => string,
): string | null | undefined {
  return laxReadings(path).find((reading) => {
    if (reading === null) return true
    const other = guardOf(reading)
    return other !== '' && other !== guard
  })
}
