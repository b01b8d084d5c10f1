import { test } from 'tap'
import { resolveConfig } from '../../../config/resolve.ts'
import type { Exchange } from '../../../services/downstream/exchange.ts'
import type { Gate } from '../../../services/gate/gate.ts'
import { LimitStore } from '../../../services/limit/limit-store.ts'
import { Limits } from '../../../services/limit/limits.ts'
import { asking } from '../access/given.ts'

/** Two clocks of a gateway that a test moves. */
interface Clocks {
  /** Epoch, ms. */
  wall: number
  /** Milliseconds that nobody sets. */
  steady: number
}

type Log = ConstructorParameters<typeof Limits>[2]

const at = (text: string): number => Date.parse(text)

interface Given {
  route?: object
  tiers?: object
  rateLimit?: object
}

/** The limits of a configuration with one route, and its gates. */
function limitsOf({ tiers = {}, rateLimit = {}, route = {} }: Given, clocks: Clocks, log?: Log) {
  const guarded = { answer: { body: 'x' }, access: ['key'], ...route }
  const resolved = resolveConfig({ tiers, rateLimit, routes: { '/*': guarded } })
  const store = new LimitStore(null, { wall: () => clocks.wall, steady: () => clocks.steady })
  const limits = new Limits(resolved, store, log)
  const gates = resolved.routes.flatMap((one) => limits.makers.map((make) => make(one)))
  return { limits, gates: gates.filter((gate) => gate !== null) }
}

const gatesOf = (config: Given, clocks: Clocks): Gate[] => limitsOf(config, clocks).gates

function from(consumer: string, tier: string | null = null): Exchange {
  const exchange = asking()
  exchange.identity = { id: consumer, scheme: 'key', consumer, tier, groups: [], scopes: [], claims: {} }
  return exchange
}

interface Refused {
  code: string
  fields: readonly string[]
}

function check(gates: readonly Gate[], exchange: Exchange): Refused | undefined {
  for (const gate of gates) {
    const verdict = gate.check(exchange)
    if (verdict !== undefined) return verdict as unknown as Refused
  }
  return undefined
}

void test('a quota of a day and of a month are whole again when the next one begins, in UTC', async (t) => {
  const clocks = { wall: at('2028-02-28T23:59:58.500Z'), steady: 0 }
  const gates = gatesOf({ tiers: { trial: { quota: { day: 2, month: 4 } } } }, clocks)
  const ask = (who = 'acme'): Refused | undefined => check(gates, from(who, 'trial'))
  const used = (after: number) => ({ code: 'HR_RATE_QUOTA', fields: ['retry-after', String(after)] })
  t.same([ask(), ask()], [undefined, undefined])
  t.match(ask(), used(2), 'until midnight')
  clocks.wall = at('2028-02-28T23:59:59.999Z')
  t.match(ask(), used(1))
  t.equal(ask('globex'), undefined, 'and each caller has its own')

  clocks.wall = at('2028-02-29T00:00:00Z')
  t.same([ask(), ask()], [undefined, undefined], 'a new day of a leap year')
  t.match(ask(), used(86_400))

  clocks.wall = at('2028-03-01T00:00:00Z')
  t.same([ask(), ask()], [undefined, undefined], 'a new day, and a new month')
  clocks.wall = at('2028-03-02T12:00:00Z')
  t.same([ask(), ask()], [undefined, undefined])
  clocks.wall = at('2028-03-31T23:59:59Z')
  t.match(ask(), used(1), 'four are a month of it, however many days have gone by')
  clocks.wall = at('2028-03-30T12:00:00Z')
  t.match(ask(), { code: 'HR_RATE_QUOTA' }, 'a clock that is set back brings none back')
  clocks.wall = at('2028-04-01T00:00:00Z')
  t.equal(ask(), undefined)
})

void test('a refused request costs nothing of the quota that had some left', async (t) => {
  const clocks = { wall: at('2026-06-01T12:00:00Z'), steady: 0 }
  const gates = gatesOf({ tiers: { trial: { quota: { day: 1, month: 3 } } } }, clocks)
  const ask = (): Refused | undefined => check(gates, from('acme', 'trial'))
  t.equal(ask(), undefined)
  for (let i = 0; i < 10; i++) t.match(ask(), { code: 'HR_RATE_QUOTA' })
  for (const day of ['02', '03']) {
    clocks.wall = at(`2026-06-${day}T12:00:00Z`)
    t.equal(ask(), undefined, 'of the month one a day was used')
  }
  clocks.wall = at('2026-06-04T12:00:00Z')
  t.match(ask(), { code: 'HR_RATE_QUOTA' })
})

void test('the time of the upstream is charged when it is known, and comes back with time', async (t) => {
  const clocks = { wall: at('2026-06-01T12:00:00Z'), steady: 0 }
  const rateLimit = { max: 1_000, timeWindow: '10s', by: 'consumer', measured: 'upstream-ms' }
  const gates = gatesOf({ route: { rateLimit } }, clocks)
  const finish = (exchange: Exchange, upstreamMs: number): void => {
    exchange.upstreamMs = upstreamMs
    for (const gate of gates) gate.finish?.(exchange)
  }
  const [first, second] = [from('acme'), from('acme')]
  t.same([check(gates, first), check(gates, second)], [undefined, undefined], 'those in flight cost nothing yet')
  finish(first, 700.2)
  t.equal(check(gates, from('acme')), undefined, 'there is some left')
  finish(second, 799)
  // 701 and 799 of 1,000: half a window is owed.
  t.match(check(gates, from('acme')), { code: 'HR_RATE_LIMITED', fields: ['retry-after', '6'] })
  t.equal(check(gates, from('globex')), undefined, 'who has used nothing of it goes on')
  clocks.steady = 5_000
  t.match(check(gates, from('acme')), { code: 'HR_RATE_LIMITED' })
  clocks.steady = 5_020
  const third = from('acme')
  t.equal(check(gates, third), undefined)
  finish(third, 0)
  const fourth = from('acme')
  t.equal(check(gates, fourth), undefined, 'what came out of the cache cost the upstream nothing')
  finish(fourth, 1e9)
  t.match(check(gates, from('acme')), { fields: ['retry-after', '11'] }, 'and one window is owed at most')
})

void test('what was measured is charged to whom it let pass, whatever has become of the fields meanwhile', async (t) => {
  const rateLimit = { max: 100, timeWindow: '1h', by: 'header:x-api-key', measured: 'upstream-ms' }
  const gates = gatesOf({ route: { rateLimit } }, { wall: at('2026-06-01T12:00:00Z'), steady: 0 })
  const first = from('acme')
  first.fields.kept.push('x-api-key', 'canary')
  t.equal(check(gates, first), undefined)
  // Access takes credentials off what goes upstream.
  first.fields.kept.length = 0
  first.upstreamMs = 150
  for (const gate of gates) gate.finish?.(first)
  const second = from('acme')
  second.fields.kept.push('x-api-key', 'canary')
  t.match(check(gates, second), { code: 'HR_RATE_LIMITED' })
  t.equal(check(gates, from('acme')), undefined, 'nobody else pays for it')
})

void test('all tiers hold for a caller whose tier is none of them, which is said once', async (t) => {
  const said: unknown[] = []
  const rateLimit = { shared: { rate: '8/h', by: 'consumer' } }
  const tiers = {
    gold: { rateLimit: [{ limit: 'shared', cost: 1 }, { rate: '5/h' }] },
    trial: { rateLimit: { limit: 'shared', cost: 2 }, quota: { day: 3 } },
  }
  const log = { warn: (details: object) => void said.push(details) }
  const { limits, gates } = limitsOf({ tiers, rateLimit }, { wall: at('2026-06-01T12:00:00Z'), steady: 0 }, log)
  const passing = (who: string, tier: string | null): number =>
    Array.from({ length: 10 }, () => check(gates, from(who, tier))).filter((verdict) => verdict === undefined).length
  t.equal(passing('acme', 'gold'), 5)
  t.equal(passing('globex', 'trial'), 3)
  t.equal(passing('initech', null), 10, 'who has none has what the route says')
  t.strictSame(limits.notices(), [])
  t.equal(passing('hooli', 'glod'), 3, 'as of the least, and what tiers share is used once')
  t.strictSame(said, [{ tier: 'glod' }])
  t.match(limits.notices(), [/^10 requests .* tier is none of tiers/])
})

void test('a limit that holds for no consumer is shared by those who are none', async (t) => {
  const route = { rateLimit: { rate: '1/h', by: 'ip', allowList: ['consumer:*'] } }
  const gates = gatesOf({ route, tiers: { gold: { rateLimit: { rate: '3/h' } } } }, { wall: 0, steady: 0 })
  const anybody = (): Exchange => asking()
  const guest = (): Exchange => {
    const exchange = from('issuer|someone')
    exchange.identity = { ...exchange.identity, consumer: null } as never
    return exchange
  }
  t.same(
    [1, 2, 3].map(() => check(gates, from('acme', 'gold'))),
    [undefined, undefined, undefined],
  )
  t.match(check(gates, from('acme', 'gold')), { code: 'HR_RATE_LIMITED' }, 'a consumer has what its tier allows')
  t.equal(check(gates, anybody()), undefined, 'and uses nothing of what the others share')
  t.match([check(gates, anybody()), check(gates, guest())], [{ code: 'HR_RATE_LIMITED' }, { code: 'HR_RATE_LIMITED' }])
})
