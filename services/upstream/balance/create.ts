import type { Balancer } from './balancer.ts'
import { consistentHash } from './consistent-hash.ts'
import { hashKey } from './hash-key.ts'
import { leastRequests } from './least-requests.ts'
import type { BalanceOptions } from './options.ts'
import { roundRobin } from './round-robin.ts'

/** @param random 0…1, without 1 */
export function createBalancer(options: BalanceOptions, random: () => number): Balancer {
  if (options === 'round-robin') return roundRobin
  const otherwise = leastRequests(random)
  if (options === 'least-requests') return otherwise
  const { hash, maxLoad = Number.POSITIVE_INFINITY } = options
  return consistentHash({ key: hashKey(hash), maxLoad, otherwise })
}
