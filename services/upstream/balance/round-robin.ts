import type { Balancer } from './balancer.ts'

/**
 * By turns, whatever the requests take: nginx's smooth weighted round robin, which spreads the turns of a heavy target
 * between the others' (5:1:1 is `a a b a c a a`). Each round gives everybody its weight, and takes from the chosen one
 * what all were given.
 */
export const roundRobin: Balancer = ({ targets, weight }) => {
  let best = targets[0] as (typeof targets)[number]
  for (const target of targets) {
    target.credit += target.weight
    if (target.credit > best.credit) best = target
  }
  best.credit -= weight
  return best
}
