import type { Balancer, Candidate, Roster } from './balancer.ts'

/**
 * Of two drawn at random, by weight, the one with fewer requests in flight for its weight: nearly as even as looking at
 * all, and no herd runs to the one that has just answered (Mitzenmacher, "The Power of Two Choices in Randomized Load
 * Balancing", 1996). Equally busy ones get their shares by the draw alone.
 *
 * @param random 0…1, without 1
 */
export function leastRequests(random: () => number): Balancer {
  return (roster) => {
    const { targets } = roster
    if (targets.length === 1) return at(targets, 0)
    const first = draw(roster, random, -1)
    const one = at(targets, first)
    const other = at(targets, draw(roster, random, first))
    return other.inFlight * one.weight < one.inFlight * other.weight ? other : one
  }
}

/** One by chance, each as often as its weight is of all. @param roster not empty; @param random 0…1, without 1 */
export function drawByWeight<T extends Candidate>(roster: Roster<T>, random: () => number): T {
  return at(roster.targets, draw(roster, random, -1))
}

/** @param without the index of one that is not drawn, or -1 */
function draw({ targets, weight, even }: Roster<Candidate>, random: () => number, without: number): number {
  if (even) {
    const index = Math.floor(random() * (without === -1 ? targets.length : targets.length - 1))
    return without !== -1 && index >= without ? index + 1 : index
  }
  let left = random() * (without === -1 ? weight : weight - at(targets, without).weight)
  let last = 0
  for (let index = 0; index < targets.length; index++) {
    if (index === without) continue
    last = index
    left -= at(targets, index).weight
    if (left < 0) break
  }
  return last
}

function at<T>(targets: readonly T[], index: number): T {
  return targets[index] as T
}
