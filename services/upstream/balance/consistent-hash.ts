import type { Balancer, Candidate, Roster } from './balancer.ts'
import type { HashKey } from './hash-key.ts'
import { hashOf, mix } from './hashing.ts'

export interface ConsistentHashOptions {
  key: HashKey
  /** How many times its share a target may have in flight before its keys go to their next; `Infinity`: they never do. */
  maxLoad: number
  /** For requests without the key. */
  otherwise: Balancer
}

/**
 * Weighted rendezvous hashing: each target bids for a key, and the highest bid has it. A target that goes gives up its own
 * keys alone, to all others by their weight, and one that comes takes its share alone; with a new weight it takes or gives
 * up the difference. No ring of points, nor a table as Maglev's, has to be made anew for that, no key moves that need
 * not, and shares are exact; the price is a look at each target, which dozens of them are worth.
 *
 * With `maxLoad`, what is over a target's bound goes to the next highest bid (Mirrokni, Thorup, Zadimoghaddam,
 * "Consistent Hashing with Bounded Loads", 2016).
 */
export function consistentHash({ key, maxLoad, otherwise }: ConsistentHashOptions): Balancer {
  return (roster, request) => {
    const text = request === undefined ? undefined : key(request)
    if (text === undefined || text === '') return otherwise(roster, request)
    return highestBid(roster, hashOf(text), maxLoad)
  }
}

/** Who has a key, by its hash. @param roster not empty; @param maxLoad see {@link ConsistentHashOptions} */
export function highestBid<T extends Candidate>(roster: Roster<T>, hash: number, maxLoad: number): T {
  const { targets, weight, even } = roster
  const bound = maxLoad === Number.POSITIVE_INFINITY ? maxLoad : (maxLoad * (inFlight(targets) + 1)) / weight
  let best = targets[0] as T
  let highest = Number.NEGATIVE_INFINITY
  for (const target of targets) {
    // The bounds add up to more than there is, so that not all are at theirs.
    if (target.inFlight >= Math.ceil(bound * target.weight)) continue
    const drawn = mix(hash ^ target.hash)
    const bid = even ? drawn : target.weight / -Math.log((drawn + 0.5) / 2 ** 32)
    if (bid <= highest) continue
    highest = bid
    best = target
  }
  return best
}

function inFlight(targets: readonly Candidate[]): number {
  let total = 0
  for (const target of targets) total += target.inFlight
  return total
}
