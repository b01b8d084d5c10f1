import { availableParallelism } from 'node:os'
import { Processes } from '../../processes.ts'
import { Gateway } from '../gateway.ts'
import { LimitedOrigin } from '../limited-origin.ts'
import { Origin } from '../origin.ts'
import type { Order, Outcome } from '../overload-clients.ts'
import { type Figure, type Findings, figure, none, type Proof } from '../proof.ts'

const TIMES = 3
/** An answer that comes later than this after its request was due is nobody's any more. */
const GOOD_MS = 1_000
const P99_MS = 750
const ROUNDS = 5
const SETTLE_MS = 3_000
const MEASURED_MS = 5_000
/** A crowd: clients that wait for their turn wait at the gateway, where it can be seen. */
const CONNECTIONS = 2_000
const GATEWAY_CORE = 0
const CLIENT_CORE = 1
/** What the upstream can: 8 at a time for 20 ms each. */
const WORKERS = 8
const WORK_MS = 20
const ORDER_LIMIT_MS = 60_000
/** As many as the gateway can, each as soon as it is done with another. */
const CLOSED: Order = { perSecond: 0, forMs: 2_000, connections: 64, goodMs: GOOD_MS }

type Load = (order: Order) => Promise<Outcome>

async function withLoad<T>(
  path: string,
  configuration: object,
  use: (load: Load, gateway: Gateway) => Promise<T>,
): Promise<T> {
  const isSpread = availableParallelism() > 1
  await using gateway = await Gateway.start(configuration, isSpread ? GATEWAY_CORE : null)
  await using processes = new Processes()
  const core = isSpread ? CLIENT_CORE : null
  const clients = await processes.start('the clients', 'proof/overload-clients.ts', [String(gateway.port), path], core)
  return await use((order) => clients.ask<Outcome>({ ...order }, ORDER_LIMIT_MS), gateway)
}

const crowd = (perSecond: number, forMs: number): Order => ({
  perSecond,
  forMs,
  connections: CONNECTIONS,
  goodMs: GOOD_MS,
})
const perSecondOf = (count: number, ms: number): number => (count * 1000) / ms

/** What is left of the capacity, and how late it comes: with shedding, against its targets; without it, to compare. */
function figuresOf(name: string, capacity: number, { on, off }: { on: Outcome; off: Outcome }): Figure[] {
  const goodput = (outcome: Outcome): number => perSecondOf(outcome.good, MEASURED_MS) / capacity
  return [
    figure(`${name}: capacity`, capacity, '/s'),
    figure(`${name}: goodput under ${TIMES}×, with shedding`, goodput(on), 'of capacity', { atLeast: 0.8 }),
    figure(`${name}: p99 of what is served, with shedding`, on.servedP99Ms, 'ms', { atMost: P99_MS }),
    figure(`${name}: goodput without shedding`, goodput(off), 'of capacity'),
    figure(`${name}: p99 without shedding`, off.servedP99Ms, 'ms'),
    figure(`${name}: asked, with shedding`, perSecondOf(on.sent, MEASURED_MS), '/s'),
    figure(`${name}: turned away, with shedding`, perSecondOf(on.refused, MEASURED_MS), '/s'),
  ]
}

/** The gateway has too much to do. What it can and what it does are measured by turns: a machine with neighbours changes. */
async function gatewayBound(): Promise<Figure[]> {
  await using origin = await Origin.start()
  // To read and mask 50 KiB of JSON keeps the gateway busy for long, and neither its origin nor its clients, who have the other
  // core between them and are not what is measured.
  const transform = { response: { body: { mask: ['/vehicles/*/driver/phone'] } } }
  const configuration = {
    upstreams: { origin: { targets: [origin.url] } },
    routes: { '/*': { to: 'origin', transform } },
  }
  const shedding = { ...configuration, pressure: true, log: { level: 'error' } }
  return await withLoad('/fleet', configuration, async (loadOff, off) =>
    withLoad('/fleet', shedding, async (loadOn, on) => {
      await loadOff(CLOSED)
      await loadOn(CLOSED)
      const rounds: Round[] = []
      for (let round = 0; round < ROUNDS; round++) {
        const before = off.cpuMicros()
        const closed = await loadOff(CLOSED)
        const servedMicros = (off.cpuMicros() - before) / closed.served
        const capacity = perSecondOf(closed.served, CLOSED.forMs)
        await loadOn(crowd(TIMES * capacity, SETTLE_MS))
        const settled = on.cpuMicros()
        const outcome = await loadOn(crowd(TIMES * capacity, MEASURED_MS))
        const micros = on.cpuMicros() - settled
        rounds.push({ outcome, capacity, servedMicros, busy: micros / (MEASURED_MS * 1000) })
      }
      const { capacity, outcome, servedMicros, busy } = middleOf(rounds)
      const without = await loadOff(crowd(TIMES * capacity, MEASURED_MS))
      const refusedMicros = (busy * MEASURED_MS * 1000 - outcome.served * servedMicros) / outcome.refused
      return [
        ...figuresOf('gateway', capacity, { on: outcome, off: without }),
        figure('gateway: CPU of a served request', servedMicros, 'µs'),
        figure('gateway: CPU of one that is turned away, about', refusedMicros, 'µs'),
        figure('gateway: busy, with shedding', busy * 100, '%'),
        none(
          'gateway: answered with something else than 200 and 503',
          rounds.reduce((sum, one) => sum + Math.max(0, one.outcome.other - CONNECTIONS), 0),
        ),
      ]
    }),
  )
}

/** What the gateway can, and what it serves when more comes. */
interface Round {
  capacity: number
  servedMicros: number
  outcome: Outcome
  /** Share of its core that it takes meanwhile. */
  busy: number
}

/** The round with the median of goodput. */
function middleOf(rounds: readonly Round[]): Round {
  const sorted = rounds.toSorted((a, b) => a.outcome.good / a.capacity - b.outcome.good / b.capacity)
  return sorted[Math.floor(sorted.length / 2)] as Round
}

/** The upstream has too much to do. */
async function upstreamBound(): Promise<Figure[]> {
  await using origin = await LimitedOrigin.start(WORKERS, WORK_MS)
  const capacity = perSecondOf(WORKERS, WORK_MS)
  const route = { routes: { '/*': { to: 'origin' } }, log: { level: 'error' } }
  const measure = async (to: object): Promise<Outcome> =>
    withLoad('/', { ...route, upstreams: { origin: { targets: [origin.url], ...to } } }, async (load) => {
      await load(crowd(TIMES * capacity, SETTLE_MS))
      return load(crowd(TIMES * capacity, MEASURED_MS))
    })
  const off = await measure({})
  const on = await measure({ concurrency: true })
  return figuresOf('upstream', capacity, { on, off })
}

async function run(): Promise<Findings> {
  const upstream = await upstreamBound()
  return { figures: [...(await gatewayBound()), ...upstream] }
}

export const overload: Proof = {
  name: 'overload',
  title: `${TIMES} times as many requests as can be served, with load shedding and without`,
  limitMs: 150_000,
  run,
}
