import type { StoredResponse } from '../stored.ts'
import { decode } from './codec.ts'
import { StoredFormatError } from './errors.ts'
import type { Judged } from './redis-judge.ts'

/** A variant as it was found, not judged yet. */
export interface Candidate extends Judged {
  stored: StoredResponse
}

/** Clocks that differ by less are taken for the same: so much the measurement may be wrong. */
const SAME_CLOCK_MS = 1_000

/**
 * What lies under an entry's key. Its times are put on this machine's clock, where the writer's was another one: whoever
 * is an hour ahead must not make others serve something for an hour longer.
 *
 * @param fields the hash: its `m` says what the others are (redis-scripts.ts, STORE)
 * @param clock `offset`: the server's clock less this one's; `now`: the server's; in ms
 * @returns `broken`: variants that cannot be read
 */
export function readEntry(
  key: string,
  fields: Readonly<Record<string, Buffer>>,
  clock: { offset: number; now: number },
): { candidates: Candidate[]; broken: number } {
  const candidates: Candidate[] = []
  let broken = 0
  for (const line of fields.m?.toString('latin1').split('\n') ?? []) {
    const [name = '', position, expires, offset] = line.split(' ')
    const payload = fields[name]
    if (payload === undefined || Number(expires) <= clock.now) continue
    try {
      const stored = moved(decode(payload), Number(offset) - clock.offset)
      candidates.push({ key, tags: stored.tags, position: Number(position), stored })
    } catch (error) {
      if (!(error instanceof StoredFormatError)) throw error
      broken++
    }
  }
  return { candidates, broken }
}

function moved(stored: StoredResponse, by: number): StoredResponse {
  if (Math.abs(by) < SAME_CLOCK_MS) return stored
  return { ...stored, requestedAt: stored.requestedAt + by, receivedAt: stored.receivedAt + by }
}
