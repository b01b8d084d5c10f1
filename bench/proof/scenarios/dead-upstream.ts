import { setTimeout as delay } from 'node:timers/promises'
import { median } from '../../statistics.ts'
import { http1Client } from '../clients.ts'
import { Gateway } from '../gateway.ts'
import { BODY_BYTES, Origin } from '../origin.ts'
import { pacedFor } from '../paced.ts'
import { type Findings, figure, none, type Proof } from '../proof.ts'

const HUNG = 200
const TIMEOUT_MS = 2_000
const PER_SECOND = 300
/** Of each of the two kinds, by turns: what drifts on the machine meets both alike. */
const PHASES = 5
const PHASE_MS = 4_000

async function run(): Promise<Findings> {
  await using origin = await Origin.start()
  await using dead = await Origin.start()
  await using gateway = await Gateway.start({
    upstreams: {
      origin: { targets: [origin.url] },
      dead: { targets: [dead.url], connections: HUNG, timeout: { firstByte: `${TIMEOUT_MS}ms` } },
    },
    routes: { '/*': { to: 'origin' }, '/hang/*': { to: 'dead' } },
  })
  const healthy = http1Client(gateway.port, 50)
  const hung = http1Client(gateway.port, HUNG)
  const ask = (): Promise<string | null> => healthy.ask('/', { status: 200, bodyBytes: BODY_BYTES })
  await pacedFor(2_000, PER_SECOND, ask)
  const late = new Float64Array(10_000)
  let answered = 0
  let other = 0
  const baseline: number[] = []
  const beside: number[] = []
  let failed = 0
  for (let phase = 0; phase < PHASES; phase++) {
    const alone = await pacedFor(PHASE_MS, PER_SECOND, ask)
    let ending = false
    const loop = async (_: unknown, index: number): Promise<void> => {
      // Spread over the timeout: what hangs came at all times, and does not end at one.
      await delay((index * TIMEOUT_MS) / HUNG)
      while (!ending) {
        const sentAt = performance.now()
        if ((await hung.ask('/hang/on', { status: 504, bodyBytes: null })) !== null) other++
        late[answered++] = performance.now() - sentAt
      }
    }
    const loops = Array.from({ length: HUNG }, loop)
    const both = await pacedFor(PHASE_MS, PER_SECOND, ask)
    ending = true
    await Promise.all(loops)
    baseline.push(alone.p99Ms)
    beside.push(both.p99Ms)
    failed += alone.failed + both.failed
  }
  healthy.close()
  hung.close()
  const sorted = late.subarray(0, answered).sort()
  const ratio = median(beside) / median(baseline)
  return {
    figures: [
      none('healthy requests failed', failed),
      figure('healthy p99 without hung requests', median(baseline), 'ms'),
      figure(`healthy p99 beside ${HUNG} hung requests`, median(beside), 'ms'),
      figure('the second over the first', ratio, '×', { atMost: 2 }),
      figure('hung requests', answered),
      none('answered with something else than 504', other),
      figure('earliest 504', sorted[0] ?? Number.NaN, 'ms', { atLeast: TIMEOUT_MS }),
      figure('latest 504', sorted.at(-1) ?? Number.NaN, 'ms', { atMost: TIMEOUT_MS * 1.1 }),
    ],
  }
}

export const deadUpstream: Proof = {
  name: 'dead-upstream',
  title: `One dead upstream with ${HUNG} hung requests`,
  limitMs: 90_000,
  run,
}
