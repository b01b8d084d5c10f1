/**
 * A model of an event loop that is asked for more than it can: each turn takes all that waits, what passes costs `servedMs`,
 * what is turned away `refusedMs`, and the next turn begins when that is done. What waits longest for is the length of a turn.
 */
export interface ModelLoop {
  /** Of capacity: what comes, in relation to what could be served if nothing else came. */
  overload: number
  servedMs: number
  refusedMs: number
  /** Clients that wait for their answers ask for nothing more. */
  clients: number
  forMs: number
  sampleMs: number
  /** How long it takes from the beginning until what is measured is measured. */
  settleMs: number
  random: () => number
}

export interface ModelResult {
  /** Share of the capacity that was served after it had settled. */
  goodput: number
  /** 99th percentile of the turns' lengths, after it had settled. */
  p99Ms: number
}

/**
 * @param sampled told of the longest turn since the last time, and of the share of the time in which there was something to do
 * @param passes asked for each that comes
 */
export function runLoop(
  model: ModelLoop,
  sampled: (delayMs: number, utilization: number) => void,
  passes: () => boolean,
): ModelResult {
  const { overload, servedMs, refusedMs, clients, forMs, sampleMs, settleMs } = model
  const perMs = overload / servedMs
  const turns: number[] = []
  let [now, coming, waiting, served, longest, busy, sampledAt, turn] = [0, 0, 0, 0, 0, 0, 0, 1]
  while (now < forMs) {
    coming += perMs * turn
    const came = Math.floor(coming)
    coming -= came
    const taken = Math.min(clients, waiting + came)
    waiting = 0
    let passed = 0
    for (let i = 0; i < taken; i++) if (passes()) passed++
    const work = passed * servedMs + (taken - passed) * refusedMs
    turn = Math.max(1, work)
    busy += work
    now += turn
    longest = Math.max(longest, turn)
    if (now > settleMs) {
      served += passed
      turns.push(turn)
    }
    if (now - sampledAt < sampleMs) continue
    sampled(longest, busy / (now - sampledAt))
    longest = 0
    busy = 0
    sampledAt = now
  }
  const sorted = turns.toSorted((a, b) => a - b)
  return { goodput: (served * servedMs) / (now - settleMs), p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? 0 }
}

/** The same numbers each time. */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
}
