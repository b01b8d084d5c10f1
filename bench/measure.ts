/** How an entrant is measured: interleaved rounds of fixed work, and the CPU time that each took. */
import { cpuMicros } from './cpu-time.ts'
import type { Latency, LoadResult } from './load/client.ts'
import type { Fire, Prepare } from './load/process.ts'
import type { Child } from './processes.ts'
import type { Entrant } from './scenarios/scenario.ts'

const ANSWER_TIMEOUT_MS = 60_000
/** The first requests only tell how fast a contender is, so that a round's work can be sized. */
const PROBE_REQUESTS = 2_000
/** A step of warming up is so much longer than a round. */
const WARM_UP_STEP = 2
/** An entrant is warm when so many steps in succession were no cheaper, by a share that is more than noise, than the best. */
const WARM_UP_STALLS = 2
const WARM_UP_GAIN = 0.03
/** Share of a round's work that goes ahead of it uncounted: connections on both sides are opened by it. */
const RUN_UP = 0.1
/** Share of the requests by which the origin's count may be off: a contender may ask again for what failed. */
const ORIGIN_TOLERANCE = 0.01

/** An entrant whose contender serves. */
export interface Runner {
  entrant: Entrant
  url: string
  pids: readonly number[]
}

/** One measured round. */
export interface Round {
  requests: number
  requestsPerSecond: number
  cpuMicrosPerRequest: number
  p50Ms: number
  p99Ms: number
  /** By kind of request, where there are several. */
  kinds: Latency[]
  /** Why the round does not count; null when it does. */
  invalid: string | null
}

/** How long things take. */
export interface Pace {
  rounds: number
  /** About how long a round's work should take. */
  roundMs: number
  /** Ahead of the first round each entrant is warmed up until it gets no cheaper, but no longer than about this. */
  warmUpMs: number
}

/** All rounds of one entrant. */
export interface Series {
  entrant: Entrant
  rounds: Round[]
}

/** Who takes part in a measurement besides the contenders. */
export interface Range {
  load: Child
  origin: Child
}

const rate = ({ succeeded, failed, seconds }: LoadResult): number => (succeeded + failed) / seconds

/** How many requests the origin has answered so far. */
export async function served(origin: Child): Promise<number> {
  return (await origin.ask<{ served: number }>({ type: 'served' }, ANSWER_TIMEOUT_MS)).served
}

function prepare({ load }: Range, { url, entrant }: Runner, requests: number): Promise<LoadResult> {
  const { traffic } = entrant
  const least = traffic.connections * traffic.streams
  const order: Prepare = { type: 'prepare', url, traffic, requests: Math.max(least, Math.round(requests)) }
  return load.ask<LoadResult>(order, ANSWER_TIMEOUT_MS)
}

function fire({ load }: Range, { entrant }: Runner, requests: number): Promise<LoadResult> {
  const least = entrant.traffic.connections * entrant.traffic.streams
  const order: Fire = { type: 'fire', requests: Math.max(least, Math.round(requests)) }
  return load.ask<LoadResult>(order, ANSWER_TIMEOUT_MS)
}

/**
 * Warms a contender up: V8 compiles a lane for some hundred thousand requests, and until then it measures the compiler.
 *
 * @returns the requests that make a round
 */
async function warmUp(range: Range, runner: Runner, { warmUpMs, roundMs }: Pace): Promise<number> {
  await prepare(range, runner, PROBE_REQUESTS)
  let perSecond = rate(await fire(range, runner, PROBE_REQUESTS))
  let best = Number.POSITIVE_INFINITY
  let stalls = 0
  const until = performance.now() + warmUpMs
  while (stalls < WARM_UP_STALLS && performance.now() < until) {
    const step = await measureRound(range, runner, perSecond * ((roundMs * WARM_UP_STEP) / 1000))
    perSecond = step.requestsPerSecond
    stalls = step.cpuMicrosPerRequest < best * (1 - WARM_UP_GAIN) ? 0 : stalls + 1
    best = Math.min(best, step.cpuMicrosPerRequest)
  }
  return perSecond * (roundMs / 1000)
}

async function measureRound(range: Range, runner: Runner, requests: number): Promise<Round> {
  await prepare(range, runner, requests * RUN_UP)
  const servedBefore = await served(range.origin)
  const cpuBefore = cpuMicros(runner.pids)
  const result = await fire(range, runner, requests)
  const cpu = cpuMicros(runner.pids) - cpuBefore
  const asked = (await served(range.origin)) - servedBefore
  const answered = result.succeeded + result.failed
  return {
    requests: answered,
    requestsPerSecond: rate(result),
    cpuMicrosPerRequest: cpu / answered,
    p50Ms: result.p50Ms,
    p99Ms: result.p99Ms,
    kinds: result.kinds,
    invalid: faultOf(result, asked),
  }
}

/**
 * Why a round doesn't count: wrong answers, or an origin that was asked for what should come from the cache, or not
 * asked for what should not.
 *
 * @param asked how many requests reached the origin meanwhile
 */
export function faultOf(
  { succeeded, failed, fault, forOrigin }: Pick<LoadResult, 'succeeded' | 'failed' | 'fault' | 'forOrigin'>,
  asked: number,
): string | null {
  if (failed > 0) return `${failed} of ${failed + succeeded} requests failed: ${fault}`
  if (Math.abs(asked - forOrigin) <= ORIGIN_TOLERANCE * succeeded) return null
  return `${asked} of ${succeeded} requests reached the origin instead of ${forOrigin}`
}

/**
 * Measures every entrant: A B C, B C A, C A B …, so that what drifts on the machine meets all alike.
 *
 * @param expired asked ahead of each turn but the first: true ends the measurement early
 * @param onRound told each round as it ends
 */
export async function measure(
  { range, runners, pace }: { range: Range; runners: readonly Runner[]; pace: Pace },
  expired: () => boolean,
  onRound: (entrant: Entrant, round: Round) => void,
): Promise<Series[]> {
  const entries = []
  for (const runner of runners) {
    const rounds: Round[] = []
    entries.push({ runner, rounds, requests: await warmUp(range, runner, pace) })
  }
  for (let turn = 0; turn < pace.rounds && (turn === 0 || !expired()); turn++) {
    for (let i = 0; i < entries.length; i++) {
      const { runner, rounds, requests } = entries[(i + turn) % entries.length]!
      const round = await measureRound(range, runner, requests)
      rounds.push(round)
      onRound(runner.entrant, round)
    }
  }
  return entries.map(({ runner, rounds }) => ({ entrant: runner.entrant, rounds }))
}
