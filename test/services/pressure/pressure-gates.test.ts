import { test, type Test } from 'tap'
import { resolveConfig } from '../../../config/resolve.ts'
import { highestPriority } from '../../../services/access/consumers/highest-priority.ts'
import { Exchange } from '../../../services/downstream/exchange.ts'
import type { Identity } from '../../../services/downstream/identity.ts'
import { Peer } from '../../../services/downstream/peer.ts'
import type { Priority } from '../../../services/downstream/priority.ts'
import type { Gate } from '../../../services/gate/gate.ts'
import { type Gates, gatesOf } from '../../../services/gate/gates.ts'
import { readRequestFields } from '../../../services/http/request-fields.ts'
import type { PressureOptions } from '../../../services/pressure/options.ts'
import { Pressure } from '../../../services/pressure/pressure.ts'
import { identifies, pressureGates } from '../../../services/pressure/pressure-gates.ts'
import { samplePressure } from '../../../services/pressure/sampled-pressure.ts'
import { seeded } from './event-loop.ts'

const OPTIONS = resolveConfig({ pressure: true }, { root: '/' }).pressure as PressureOptions
const LATE = { eventLoopDelayMs: 5_000, eventLoopUtilization: 1, heapUsedBytes: 1, heapLimitBytes: 2, rssBytes: 1 }

interface Route {
  priority: Priority
  access: { by: readonly string[] } | null
}

function exchange(): Exchange {
  const peer = new Peer({ remoteAddress: '127.0.0.1' }, { includes: () => false } as never)
  return new Exchange({ protocol: '1.1', method: 'GET', target: '/', fields: readRequestFields([]), body: null, peer })
}

const caller = (priority?: Priority): Identity => ({
  id: 'acme',
  scheme: 'key',
  consumer: 'acme',
  tier: null,
  groups: [],
  scopes: [],
  claims: {},
  ...(priority && { priority }),
})

/** The gates of a route behind which the test says who calls. */
function guarded(highest: Priority): { gates: Gates; pressure: Pressure; ask: (who?: Identity) => boolean } {
  const pressure = new Pressure(OPTIONS, { random: seeded(5), load: { inFlight: 0 } })
  let calls: Identity | undefined
  const access: Gate = {
    step: 'access',
    description: 'access',
    check: (one) => void (one.identity = calls),
  }
  const makers = pressureGates<Route>({ pressure, identifies, highest: () => highest })
  const gates = gatesOf<Route>({ priority: 'normal', access: { by: ['key'] } }, [...makers, () => access]) as Gates
  return {
    gates,
    pressure,
    ask: (who) => {
      calls = who
      return gates.check(exchange()) === undefined
    },
  }
}

/** Samples under which a mixture of callers comes. */
function overload({ pressure, ask }: ReturnType<typeof guarded>, samples: number): void {
  for (let sample = 0; sample < samples; sample++) {
    for (let round = 0; round < 10; round++)
      for (const who of [undefined, caller(), caller('high'), caller('low')]) ask(who)
    pressure.sampled(LATE)
  }
}

function shareOf(ask: () => boolean): number {
  let passed = 0
  for (let i = 0; i < 500; i++) if (ask()) passed++
  return passed / 500
}

void test('of one route, callers of a high priority are served when others are not, and anonymous ones last', async (t) => {
  const route = guarded('critical')
  overload(route, 6)
  const share = (who?: Identity): number => shareOf(() => route.ask(who))
  const [high, normal, anonymous, low] = [share(caller('high')), share(caller()), share(), share(caller('low'))]
  t.ok(high > 0, `${high}`)
  t.ok(high >= normal && normal >= anonymous && anonymous >= low, `${high} ${normal} ${anonymous} ${low}`)
  t.ok(low < high)
  overload(route, 100)
  t.equal(share(caller('critical')), 1)
})

void test('what nobody who may call would get through is turned away before anybody is asked', async (t) => {
  const route = guarded('normal')
  overload(route, 100)
  const one = exchange()
  let denied = ''
  for (let i = 0; i < 50 && denied === ''; i++) {
    const other = exchange()
    void route.gates.check(other)
    ;({ denied } = other)
  }
  t.equal(denied, 'pressure')
  t.equal(route.gates.early, true)
  t.equal(route.gates.shed, false, 'a hit goes by access all the same')
  t.equal(one.denied, '')
})

void test('a critical route that asks nobody has no gate', async (t) => {
  const pressure = new Pressure(OPTIONS, { random: Math.random, load: { inFlight: 0 } })
  const makers = pressureGates<Route>({ pressure, identifies, highest: () => 'low' })
  t.equal(gatesOf<Route>({ priority: 'critical', access: null }, makers), null)
  t.equal(gatesOf<Route>({ priority: 'normal', access: null }, makers)?.list.length, 1)
})

void test('the highest priority of the consumers is that of those who there are now', async (t) => {
  const directory = (...priorities: (Priority | null)[]) =>
    ({ consumers: priorities.map((priority) => ({ priority })) }) as never
  const consumers = { directory: directory('normal', null) }
  const highest = highestPriority(consumers)
  t.equal(highest(), 'normal')
  consumers.directory = directory('normal', 'critical')
  t.equal(highest(), 'critical')
  consumers.directory = directory()
  t.equal(highest(), 'low')
})

void test('over a reload it goes on as it is, with other options its counts do', async (t) => {
  const load = { inFlight: 0 }
  const first = samplePressure(OPTIONS, { previous: null, load })
  const same = samplePressure({ ...OPTIONS }, { previous: first, load })
  t.equal(same?.value, first?.value)
  const other = samplePressure({ ...OPTIONS, maxInFlight: 7 }, { previous: same, load })
  t.not(other?.value, first?.value)
  t.equal(other?.value.counters, first?.value.counters)
  t.equal(samplePressure(null, { previous: other, load }), null)
  await release(t, [first, same, other])
})

async function release(t: Test, held: readonly ({ release(): Promise<void> } | null)[]): Promise<void> {
  for (const one of held) await one?.release()
  t.pass('and whoever holds it lets it go')
}
