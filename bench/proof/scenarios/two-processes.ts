import type { LoadResult } from '../../load/client.ts'
import type { Fire, Prepare } from '../../load/process.ts'
import { type Child, findCores, Processes } from '../../processes.ts'
import { hit, overHttp1 } from '../../scenarios/cached.ts'
import type { Traffic } from '../../scenarios/scenario.ts'
import { median } from '../../statistics.ts'
import { Gateway } from '../gateway.ts'
import { type Findings, figure, none, type Proof } from '../proof.ts'

const ROUNDS = 5
/** For each process: V8 compiles the lane for some hundred thousand requests. */
const COLD_WARM_UP = 200_000
const WARM_UP = 30_000
const REQUESTS = 40_000
const TIMEOUT_MS = 60_000

/** As many requests on each connection, and so to each process: what is answered sooner shall not count for more. */
const TRAFFIC: Traffic = { ...overHttp1(hit), even: true }

/** What one round came to. */
interface Round {
  /** CPU time a request, of all processes that serve. */
  cpuMicros: number
  perSecond: number
  failed: number
}

async function measure(gateway: Gateway, load: Child, warmUp = WARM_UP): Promise<Round> {
  const prepare: Prepare = { type: 'prepare', url: gateway.url, traffic: TRAFFIC, requests: warmUp }
  const fire: Fire = { type: 'fire', requests: REQUESTS }
  const warm = await load.ask<LoadResult>(prepare, TIMEOUT_MS)
  const before = gateway.cpuMicros()
  const result = await load.ask<LoadResult>(fire, TIMEOUT_MS)
  return {
    cpuMicros: (gateway.cpuMicros() - before) / REQUESTS,
    perSecond: result.succeeded / result.seconds,
    failed: warm.failed + result.failed,
  }
}

/**
 * The load generator needs a core as well, and here there may be two in all. So it is not timed how much two processes
 * answer while it takes its share, but what they answer with their cores to themselves: by the CPU time that a request costs.
 * One of the two processes shares its core with the load generator, where a request does not cost the same; a single process
 * is therefore measured in either place.
 */
async function run(): Promise<Findings> {
  const cores = findCores()
  if ('unpinned' in cores) return { skipped: cores.unpinned }
  await using processes = new Processes()
  const origin = await processes.start('the origin', 'origin.ts', [], null)
  const { announcement } = origin
  if ('unavailable' in announcement || announcement.url === null) return { skipped: 'the origin serves nothing' }
  const configuration = {
    upstreams: { origin: { targets: [announcement.url] } },
    routes: { '/*': { to: 'origin', cache: true } },
    log: { level: 'silent' },
  }
  const load = await processes.start('the load', 'load/process.ts', [], cores.load)
  const rounds: Record<'alone' | 'beside' | 'two', Round[]> = { alone: [], beside: [], two: [] }
  await using alone = await Gateway.start(configuration, cores.contender)
  await using beside = await Gateway.start(configuration, cores.load)
  await using two = await Gateway.start({ ...configuration, processes: 2 })
  await measure(alone, load, COLD_WARM_UP)
  await measure(beside, load, COLD_WARM_UP)
  await measure(two, load, 2 * COLD_WARM_UP)
  for (let round = 0; round < ROUNDS; round++) {
    rounds.alone.push(await measure(alone, load))
    rounds.two.push(await measure(two, load))
    rounds.beside.push(await measure(beside, load))
  }
  const middle = (of: Round[], read: (round: Round) => number): number => median(of.map(read))
  const cpu = {
    alone: middle(rounds.alone, (r) => r.cpuMicros),
    beside: middle(rounds.beside, (r) => r.cpuMicros),
    two: middle(rounds.two, (r) => r.cpuMicros),
  }
  // A core that has nothing else to do answers a million by the CPU time of one.
  const capacity = { one: 2e6 / (cpu.alone + cpu.beside), two: 2e6 / cpu.two }
  const all = [...rounds.alone, ...rounds.beside, ...rounds.two]
  return {
    figures: [
      none(
        'failed',
        all.reduce((sum, { failed }) => sum + failed, 0),
      ),
      figure('CPU time a hit, one process, the load generator on the other core', cpu.alone, 'µs'),
      figure('CPU time a hit, one process, the load generator on the same core', cpu.beside, 'µs'),
      figure('CPU time a hit, two processes', cpu.two, 'µs'),
      figure('hits/s that one core has room for, one process', capacity.one),
      figure('hits/s that two cores have room for, two processes', capacity.two),
      figure('the second over the first', capacity.two / capacity.one, '×', { atLeast: 1.7 }),
      figure(
        'hits/s beside the load generator, one process',
        middle(rounds.alone, (r) => r.perSecond),
      ),
      figure(
        'hits/s beside the load generator, two processes',
        middle(rounds.two, (r) => r.perSecond),
      ),
    ],
  }
}

export const twoProcesses: Proof = {
  name: 'two-processes',
  title: 'Cached hits of two processes on two cores, and of one',
  limitMs: 120_000,
  run,
}
