import { laxReadings } from '../http/canonical-path.ts'

/**
 * Another reading of a canonical path, one that a laxer parser may make, under which it reaches something with stricter
 * access than what it was routed to.
 *
 * @param rank of what the path was routed to
 * @param rankOf what a reading reaches; 0 for something without a guard
 * @returns `undefined` where there is none; `null` for one that leaves the root
 */
export function stricterReading(
  path: string,
  rank: number,
  rankOf: (reading: string) => number,
): string | null | undefined {
  return laxReadings(path).find((reading) => reading === null || rankOf(reading) > rank)
}
