import type { LoadResult } from '../../load/client.ts'
import type { Fire, Prepare } from '../../load/process.ts'
import { type Child, findCores, Processes } from '../../processes.ts'
import { hit, overHttp1 } from '../../scenarios/cached.ts'
import { median } from '../../statistics.ts'
import { Gateway } from '../gateway.ts'
import { type Findings, figure, none, type Proof } from '../proof.ts'

const ROUNDS = 5
const WARM_UP = 30_000
const REQUESTS = 40_000
const TIMEOUT_MS = 60_000

/** What one round came to. */
interface Round {
  /** CPU time a request, of all processes that serve. */
  cpuMicros: number
  /** Share of the CPU time that the busiest process has taken. */
  busiest: number
  perSecond: number
  failed: number
}

async function measure(gateway: Gateway, load: Child): Promise<Round> {
  const prepare: Prepare = { type: 'prepare', url: gateway.url, traffic: overHttp1(hit), requests: WARM_UP }
  const fire: Fire = { type: 'fire', requests: REQUESTS }
  const warm = await load.ask<LoadResult>(prepare, TIMEOUT_MS)
  const pids = gateway.pids
  const before = pids.map((pid) => gateway.cpuMicros([pid]))
  const result = await load.ask<LoadResult>(fire, TIMEOUT_MS)
  const spent = pids.map((pid, index) => gateway.cpuMicros([pid]) - (before[index] ?? 0))
  const total = spent.reduce((sum, micros) => sum + micros, 0)
  return {
    cpuMicros: total / REQUESTS,
    busiest: Math.max(...spent) / total,
    perSecond: result.succeeded / result.seconds,
    failed: warm.failed + result.failed,
  }
}

/**
 * The load generator needs a core as well, and here there may be two in all. So it is not timed how much two processes
 * answer while it takes its share, but what a core answers that they have to themselves: by the CPU time that a request
 * costs, and by the busier of the two, which is full first.
 */
async function run(): Promise<Findings> {
  const cores = findCores()
  await using processes = new Processes()
  const origin = await processes.start('the origin', 'origin.ts', [], null)
  const { announcement } = origin
  if ('unavailable' in announcement || announcement.url === null) return { skipped: 'the origin serves nothing' }
  const configuration = {
    upstreams: { origin: { targets: [announcement.url] } },
    routes: { '/*': { to: 'origin', cache: true } },
    log: { level: 'silent' },
  }
  const load = await processes.start('the load', 'load/process.ts', [], 'unpinned' in cores ? null : cores.load)
  const rounds: { one: Round[]; two: Round[] } = { one: [], two: [] }
  await using one = await Gateway.start(configuration, 'unpinned' in cores ? null : cores.contender)
  await using two = await Gateway.start({ ...configuration, processes: 2 })
  for (let round = 0; round < ROUNDS; round++) {
    rounds.one.push(await measure(one, load))
    rounds.two.push(await measure(two, load))
  }
  const middle = (of: Round[], read: (round: Round) => number): number => median(of.map(read))
  const cpu = { one: middle(rounds.one, (r) => r.cpuMicros), two: middle(rounds.two, (r) => r.cpuMicros) }
  const busiest = middle(rounds.two, (r) => r.busiest)
  // A core that has nothing else to do answers a million by the CPU time of one.
  const capacity = { one: 1e6 / cpu.one, two: 1e6 / (cpu.two * busiest) }
  return {
    figures: [
      none(
        'failed',
        [...rounds.one, ...rounds.two].reduce((sum, { failed }) => sum + failed, 0),
      ),
      figure('CPU time a hit, one process', cpu.one, 'µs'),
      figure('CPU time a hit, two processes', cpu.two, 'µs'),
      figure('share of the busier of the two', busiest * 100, '%'),
      figure('hits/s that one core has room for, one process', capacity.one),
      figure('hits/s that two cores have room for, two processes', capacity.two),
      figure('the second over the first', capacity.two / capacity.one, '×', { atLeast: 1.7 }),
      figure(
        'hits/s beside the load generator, one process',
        middle(rounds.one, (r) => r.perSecond),
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
