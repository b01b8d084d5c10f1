import { test } from 'tap'
import { faultOf, type Round, type Series } from '../../bench/measure.ts'
import { caches } from '../../bench/peers/catalogue.ts'
import { summarize } from '../../bench/report.ts'
import { SCENARIOS, select } from '../../bench/scenarios/all.ts'
import { hit } from '../../bench/scenarios/cached.ts'
import type { Entrant, Scenario } from '../../bench/scenarios/scenario.ts'
import { median, medianInterval, ratio } from '../../bench/statistics.ts'
import { memoryTable, table } from '../../bench/table.ts'

/** What the benchmark makes of its rounds. */

const round = (cpuMicrosPerRequest: number, over: Partial<Round> = {}): Round => ({
  requests: 100,
  requestsPerSecond: 1e6 / cpuMicrosPerRequest,
  cpuMicrosPerRequest,
  p50Ms: 1,
  p99Ms: 2,
  kinds: [],
  invalid: null,
  ...over,
})

const entrant = (name: string): Entrant => ({
  name,
  detail: `what ${name} is`,
  peer: caches.nginx,
  traffic: { client: 'http1', connections: 1, streams: 1, requests: [hit] },
})

const [fast, slow, absent] = [entrant('fast'), entrant('slow'), entrant('absent')]
const scenario: Scenario = {
  name: 'one',
  title: 'One against the other',
  entrants: [slow, fast, absent],
  reference: 'slow',
  targets: [
    { entrant: 'fast', over: 'slow', atLeast: 2 },
    { entrant: 'fast', over: 'slow', atLeast: 3 },
    { entrant: 'fast', over: 'absent', atLeast: 1 },
  ],
  quick: true,
}
const series: Series[] = [
  { entrant: slow, rounds: [round(40), round(80), round(30)] },
  { entrant: fast, rounds: [round(20), round(20), round(10, { invalid: 'it broke' })] },
]

void test('a median is the middle value, of an even number the mean of two', (t) => {
  t.equal(median([9, 1, 5]), 5)
  t.equal(median([9, 1]), 5)
  t.ok(Number.isNaN(median([])))
  t.end()
})

void test('the interval of a median is the one of the sign test', (t) => {
  const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => n - i)
  t.equal(medianInterval(upTo(5)), null, 'with five values the median may lie outside all by 6 %')
  t.strictSame(medianInterval(upTo(6)), [1, 6])
  // Ranks from tables of the binomial distribution (Conover, table A3).
  t.strictSame(medianInterval(upTo(13)), [3, 11])
  t.strictSame(medianInterval(upTo(20)), [6, 15])
  t.strictSame(medianInterval(upTo(100)), [40, 61])
  t.end()
})

void test('a ratio is taken round by round, and only of rounds that are valid on both sides', (t) => {
  const [over, rounds] = series.map((one) => one.rounds)
  t.strictSame(ratio(rounds!, over!), { median: 3, least: 2, greatest: 4, interval: null })
  t.equal(ratio([round(1, { invalid: 'no' })], [round(1)]), null)
  t.equal(ratio([round(1)], [round(1, { invalid: 'no' })]), null)
  t.equal(ratio([round(1)], []), null)
  t.end()
})

void test('targets are met by the median, missed, or not measured', (t) => {
  const { rows, verdicts } = summarize(scenario, series)
  t.strictSame(
    verdicts.map(({ met }) => met),
    [true, true, null],
  )
  t.strictSame(
    summarize({ ...scenario, targets: [{ entrant: 'fast', over: 'slow', atLeast: 3.1 }] }, series).verdicts,
    [
      {
        entrant: 'fast',
        over: 'slow',
        atLeast: 3.1,
        ratio: { median: 3, least: 2, greatest: 4, interval: null },
        met: false,
      },
    ],
  )
  t.match(rows, [
    { entrant: 'slow', cpuMicrosPerRequest: 40, leastCpuMicrosPerRequest: 30, ratio: { median: 1 } },
    { entrant: 'fast', cpuMicrosPerRequest: 20, ratio: { median: 3 } },
  ])
  t.end()
})

void test('a round is invalid when answers fail, or come from where they should not', (t) => {
  const result = { succeeded: 1000, failed: 0, fault: null, forOrigin: 0 }
  t.equal(faultOf(result, 0), null)
  t.equal(faultOf(result, 10), null)
  t.equal(faultOf(result, 11), '11 of 1000 requests reached the origin instead of 0')
  t.equal(faultOf({ ...result, forOrigin: 1000 }, 0), '0 of 1000 requests reached the origin instead of 1000')
  t.equal(faultOf({ ...result, failed: 1, fault: 'status 500' }, 0), '1 of 1001 requests failed: status 500')
  t.end()
})

void test('the table has a line an entrant, a line a kind, and a line a target', (t) => {
  const kinds = [
    { name: 'hits', p50Ms: 0.5, p99Ms: 1.25 },
    { name: 'misses', p50Ms: 3, p99Ms: 4 },
  ]
  const mixed: Series[] = [series[0]!, { entrant: fast, rounds: [round(20, { kinds })] }]
  t.strictSame(table(summarize(scenario, mixed)).split('\n'), [
    'One against the other',
    '                      requests/s  CPU µs/request  least  p50 ms  p99 ms  ratio     spread',
    '  slow  what slow is      25,000            40.0   30.0    1.00    2.00  1.00×  1.00–1.00',
    '  fast  what fast is      50,000            20.0   20.0    1.00    2.00  2.00×  2.00–2.00',
    '          hits                                             0.50    1.25',
    '          misses                                           3.00    4.00',
    '',
    '                 ratio  95 %     spread   target',
    '  fast ÷ slow    2.00×        2.00–2.00  ≥ 2.00×  met',
    '  fast ÷ slow    2.00×        2.00–2.00  ≥ 3.00×  MISSED',
    '  fast ÷ absent                          ≥ 1.00×  not measured',
  ])
  const six = (costs: number[]): Round[] => costs.map((cost) => round(cost))
  const several: Series[] = [
    { entrant: slow, rounds: six([40, 40, 40, 40, 40, 40]) },
    { entrant: fast, rounds: six([20, 20, 16, 20, 20, 25]) },
  ]
  t.equal(
    table(summarize(scenario, several)).split('\n').at(-3),
    '  fast ÷ slow    2.00×  1.60–2.50  1.60–2.50  ≥ 2.00×  met',
  )
  t.strictSame(
    memoryTable({ title: 'Memory', figures: [{ name: 'an entry', bytes: 1_025 }], atMost: 1_024 }).split('\n'),
    ['Memory', '            bytes   target', '  an entry  1,025  ≤ 1,024  MISSED'],
  )
  t.end()
})

void test('scenarios hang together: references and targets are entrants, and no name means two things', (t) => {
  const entrants = new Set(SCENARIOS.flatMap((one) => one.entrants.map(({ name }) => name)))
  for (const one of SCENARIOS) {
    const names = one.entrants.map(({ name }) => name)
    t.equal(new Set(names).size, names.length, `${one.name} names each entrant once`)
    t.notOk(entrants.has(one.name), `${one.name} is no entrant's name`)
    t.equal(names[0], one.reference, 'the reference is the first row')
    for (const { entrant: name, over } of one.targets)
      t.ok(names.includes(name) && names.includes(over), `${name} ÷ ${over}`)
  }
  t.end()
})

void test('--only picks scenarios and entrants, and the quick run has fewer scenarios', (t) => {
  const names = (scenarios: Scenario[]): string[] => scenarios.map(({ name }) => name)
  t.strictSame(select(null, false), SCENARIOS)
  t.ok(select(null, true).length < SCENARIOS.length)
  t.strictSame(names(select(['hit', 'post-1k'], true)), ['post-1k', 'hit'])
  const [proxied, cached] = select(['json-1k', 'hit', 'headrace-quiet', 'varnish'], false)
  t.strictSame(
    proxied!.entrants.map(({ name }) => name),
    ['fastify-http-proxy', 'headrace-quiet'],
  )
  t.strictSame(proxied!.targets, [])
  t.strictSame(
    cached!.entrants.map(({ name }) => name),
    ['nginx', 'varnish', 'headrace-quiet'],
  )
  t.strictSame(
    cached!.targets.map(({ over }) => over),
    ['nginx', 'varnish'],
  )
  t.strictSame(names(select(['not-modified'], false)), ['hit-without-body'])
  t.throws(() => select(['not-modified'], true), { message: /^No scenario of this run has not-modified/ })
  t.throws(() => select(['hit', 'hot'], false), { message: /^Nothing is named hot\. There are: json-1k/ })
  t.end()
})
