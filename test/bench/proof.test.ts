import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'
import { PROOFS } from '../../bench/proof/all.ts'
import { Paced } from '../../bench/proof/paced.ts'
import { figure, none, type Proof } from '../../bench/proof/proof.ts'
import { judge, proofTable } from '../../bench/proof/report.ts'

const proof: Proof = { name: 'x', title: 'An x', limitMs: 1, run: async () => ({ figures: [] }) }
const measured = { seconds: 3, load: { before: 1, after: 2 } }

void test('a proof is met where every figure with a target is, and where it came to its end', async (t) => {
  const figures = [none('failed', 0), figure('p95', 10, 'ms', { atMost: 10 }), figure('sent', 7)]
  const verdict = (given: typeof figures, note: string | null = null, skipped = false) =>
    judge(proof, { figures: given, note, skipped }, measured).met
  t.equal(verdict(figures), true)
  t.equal(verdict([...figures, none('lost', 1)]), false)
  t.equal(verdict([...figures, figure('ratio', 1.69, '×', { atLeast: 1.7 })]), false)
  t.equal(verdict([...figures, figure('nothing', Number.NaN, 'ms', { atMost: 1 })]), false, 'what was not measured')
  t.equal(verdict([], 'It broke off'), false)
  t.equal(verdict([], 'no room', true), null)
})

void test('the table shows each figure with its target, and what else ran', async (t) => {
  const figures = [none('failed', 2), figure('p95', 9.5, 'ms', { atMost: 10 }), figure('sent', 12_000)]
  t.equal(
    proofTable(judge(proof, { figures, note: null, skipped: false }, measured)),
    `MISSED  x: An x (3 s; load average 1.0 before, 2.0 after)
                    target
  failed        2     none  MISSED
  p95     9.50 ms  ≤ 10 ms  met
  sent     12,000`,
  )
  const skipped = judge(proof, { figures: [], note: 'no room', skipped: true }, measured)
  t.match(proofTable(skipped), /^skipped {2}x: .*\n {2}no room$/)
})

void test('proofs have names of their own, and one that there is not is refused', async (t) => {
  t.equal(new Set(PROOFS.map(({ name }) => name)).size, PROOFS.length)
  const script = fileURLToPath(new URL('../../bench/proof/run.ts', import.meta.url))
  const { status, stderr } = spawnSync(process.execPath, [script, '--only', 'floods,flods'], { encoding: 'utf8' })
  t.equal(status, 2)
  t.match(stderr, /There is no flods; there are .*floods/)
})

void test('requests are due at their rate: what waits for an answer holds up none, and counts as late', async (t) => {
  const held = Promise.withResolvers<null>()
  const enough = Promise.withResolvers<void>()
  let sent = 0
  const paced = new Paced(1_000, () => {
    if (++sent === 20) enough.resolve()
    return sent === 1 ? held.promise : Promise.resolve(sent === 2 ? 'bad' : null)
  })
  await enough.promise
  held.resolve(null)
  const result = await paced.end()
  t.match(result, { failed: 1, faults: { bad: 1 } })
  t.ok(result.sent >= 20)
  t.ok(result.greatestMs >= 19, 'the first has waited for the twentieth')
})
