import { test } from 'tap'
import { assessHealth, type HealthReport, upstreamHealth } from '../../../services/monitor/health.ts'
import { memoryLimit, type ProcessReport, readMemory, readSystem } from '../../../services/monitor/process.ts'
import { mergeReadiness, readinessOf } from '../../../services/monitor/readiness.ts'
import { targetSnapshot } from '../../target-snapshot.ts'

const MiB = 2 ** 20
const MEMORY = {
  heapUsedBytes: 40 * MiB,
  heapLimitBytes: 4096 * MiB,
  externalBytes: MiB,
  rssBytes: 90 * MiB,
  limitBytes: null,
}

function report(parts: Partial<ProcessReport>): ProcessReport {
  return {
    pid: 42,
    version: '1.2.3',
    uptimeMs: 61_400,
    draining: false,
    memory: MEMORY,
    eventLoop: { delayMs: 1, utilization: 0.1 },
    targets: [targetSnapshot()],
    notices: [],
    ...parts,
  }
}
const assess = (parts: Partial<ProcessReport>, missing: HealthReport['missing'] = []): HealthReport =>
  assessHealth([report(parts)], missing, readSystem())

void test('a target that is of no use is told with why, and one that drains is missed by nobody', (t) => {
  const targets = (['up', 'ejected', 'unhealthy', 'draining'] as const).map((state) => targetSnapshot({ state }))
  t.match(upstreamHealth(targets), [
    { state: 'degraded', targets: { total: 3, up: 1, down: 2, states: ['ejected', 'unhealthy'] } },
  ])
  t.match(upstreamHealth([targetSnapshot({ state: 'draining' })]), [{ state: 'down' }])
  t.end()
})

void test('nothing to report is healthy', async (t) => {
  t.match(assess({}), { status: 'healthy', reasons: [], upstreams: [{ name: 'fleet', state: 'up' }] })
})

void test('an upstream without a target that connects is unhealthy when required, else degraded', async (t) => {
  const down = targetSnapshot({ state: 'down' })
  t.match(assess({ targets: [down] }), {
    status: 'unhealthy',
    reasons: ['No target of upstream fleet accepts connections'],
  })
  t.match(assess({ targets: [{ ...down, required: false }] }), { status: 'degraded' })
})

void test('one target of several down is degraded', async (t) => {
  const { status, reasons, upstreams } = assess({
    targets: [targetSnapshot(), targetSnapshot({ target: 'http://b', state: 'down' })],
  })
  t.equal(status, 'degraded')
  t.strictSame(reasons, ['1 of 2 targets of upstream fleet are down'])
  t.match(upstreams, [{ state: 'degraded', targets: { total: 2, up: 1, down: 1 } }])
})

void test('what the parts of a gateway say wants attention is told once for all processes', async (t) => {
  const parts = [report({ notices: ['The cache does without'] }), report({ notices: ['The cache does without'] })]
  t.match(assessHealth(parts, [], readSystem()), { status: 'degraded', reasons: ['The cache does without'] })
  t.equal(assessHealth(parts, [], readSystem()).reasons.length, 1)
})

void test('an upstream that nobody has asked yet is unknown, which is no fault', async (t) => {
  t.match(assess({ targets: [targetSnapshot({ state: 'unknown' })] }), {
    status: 'healthy',
    upstreams: [{ state: 'unknown' }],
  })
})

void test('a draining process is unhealthy', async (t) => {
  t.match(assess({ draining: true }), { status: 'unhealthy', reasons: ['The gateway is draining'] })
})

void test('a process that does not answer is degraded and named', async (t) => {
  const { status, reasons, missing } = assess({}, [{ process: 2, pid: 7, reason: 'it is not running' }])
  t.equal(status, 'degraded')
  t.strictSame(reasons, ['Process 2 did not answer: it is not running'])
  t.equal(missing.length, 1)
})

void test('strain is degraded: heap against what V8 allows, memory against the container, a late event loop', async (t) => {
  const reasons = [
    assess({ memory: { ...MEMORY, heapUsedBytes: 0.9 * MEMORY.heapLimitBytes } }),
    assess({ memory: { ...MEMORY, limitBytes: 100 * MiB } }),
    assess({ eventLoop: { delayMs: 100, utilization: 1 } }),
  ].map(({ status, reasons: [reason] }) => [status, reason])
  t.strictSame(reasons, [
    ['degraded', 'Process 42 uses 90 % of its heap limit'],
    ['degraded', 'Process 42 uses 90 % of the memory it may have'],
    ['degraded', 'The event loop of process 42 is 100 ms late'],
  ])
  t.equal(assess({ memory: { ...MEMORY, limitBytes: 1000 * MiB } }).status, 'healthy')
})

void test('several processes are added up; the fullest heap stands for all', async (t) => {
  const full = { ...MEMORY, heapUsedBytes: 2048 * MiB }
  const { memory, pools, processes } = assessHealth([report({}), report({ pid: 43, memory: full })], [], readSystem())
  t.match(memory, { heapUsedBytes: 2088 * MiB, heapUsedRatio: 0.5, rssBytes: 180 * MiB, limitBytes: null })
  t.match(pools, { limit: 200, running: 2 })
  t.strictSame(
    processes.map(({ pid }) => pid),
    [42, 43],
  )
})

void test('a container without a limit is not taken for one with 16 EiB', async (t) => {
  const total = 8 * 2 ** 30
  t.equal(memoryLimit(18_446_744_073_709_552_000, total), null)
  t.equal(memoryLimit(0, total), null)
  t.equal(memoryLimit(2 ** 29, total), 2 ** 29)
  t.ok(readMemory().heapLimitBytes > readMemory().heapUsedBytes)
})

void test('readiness wants a usable target of every required upstream', async (t) => {
  const [up, down, unknown] = (['up', 'down', 'unknown'] as const).map((state) => targetSnapshot({ state }))
  t.match(readinessOf([down!, up!], false), { ready: true, unavailable: [] })
  t.match(readinessOf([down!, unknown!], false), { ready: false, unavailable: ['fleet'] })
  t.match(readinessOf([{ ...down!, required: false }], false), { ready: true })
  t.match(readinessOf([up!], true), { ready: false, draining: true })
  t.match(readinessOf([], false), { ready: true }, 'a gateway without upstreams is ready')
})

void test('several processes are ready where each one is', async (t) => {
  const ready = readinessOf([], false)
  const unready = readinessOf([targetSnapshot({ state: 'down' })], false)
  t.match(mergeReadiness([ready, ready]), { ready: true })
  t.strictSame(mergeReadiness([ready, unready, unready]), {
    ready: false,
    draining: false,
    unavailable: ['fleet'],
    maintenance: false,
  })
})
