import { test } from 'tap'
import { AdmittedShare } from '../../../services/pressure/admitted-share.ts'
import { type ModelResult, runLoop, seeded } from './event-loop.ts'

const TARGET_MS = 50

function overloaded(overload: number, refusedMs: number, isOn = true): ModelResult {
  const share = new AdmittedShare()
  const random = seeded(7)
  return runLoop(
    { overload, servedMs: 0.1, refusedMs, clients: 20_000, forMs: 20_000, sampleMs: 100, settleMs: 5_000, random },
    (delayMs) => {
      if (isOn) share.step(Math.min(4, delayMs / TARGET_MS))
    },
    () => share.share === 1 || random() < share.share,
  )
}

void test('a loop with three times as much to do as it can serves nearly all that it can, and is not late', async (t) => {
  for (const overload of [1.2, 1.5, 3, 6]) {
    // What is turned away costs a twentieth: so much less can be served, whoever decides.
    const most = (1 - overload * 0.05) / (1 - 0.05)
    const { goodput, p99Ms } = overloaded(overload, 0.005)
    t.ok(goodput > 0.95 * most, `${overload}×: ${goodput} of ${most}`)
    t.ok(p99Ms < 4 * TARGET_MS, `${overload}×: ${p99Ms} ms`)
  }
  t.ok(overloaded(3, 0.005).goodput >= 0.8)
})

/** The same where lateness does not show, and what is served takes so long that chance decides how much a sample has. */
function saturated(overload: number, isOn = true): ModelResult {
  const share = new AdmittedShare()
  const random = seeded(7)
  return runLoop(
    { overload, servedMs: 2, refusedMs: 0.03, clients: 500, forMs: 40_000, sampleMs: 100, settleMs: 5_000, random },
    (_, utilization) => {
      if (isOn) share.step(0, utilization / 0.98)
    },
    () => share.share === 1 || random() < share.share,
  )
}

void test('one that only knows how busy it is does not leave much of its time unused, and is not late', async (t) => {
  for (const overload of [1.2, 1.5, 3]) {
    const most = (1 - overload * 0.015) / (1 - 0.015)
    const { goodput, p99Ms } = saturated(overload)
    t.ok(goodput > 0.85 * most, `${overload}×: ${goodput} of ${most}`)
    t.ok(p99Ms < 100, `${overload}×: ${p99Ms} ms`)
  }
  t.ok(saturated(3, false).p99Ms > 900)
})

void test('how busy it is tells how much more could pass, and that it is too much, but not how much', async (t) => {
  const after = (...busy: number[]): number => {
    const share = new AdmittedShare()
    for (let sample = 0; sample < 12; sample++) share.step(0, 1.02)
    const before = share.share
    for (const one of busy) share.step(0, one)
    return Math.round((share.share / before) * 1_000) / 1_000
  }
  t.equal(after(1.02), 0.95)
  t.equal(after(0.99), 1.01, 'what is left of the time')
  t.equal(after(0.5), 1.05, 'no more at once')
  t.equal(after(0.4), 1.15, 'what pressed is over')
  t.equal(after(0), 1.05, 'what is not looked at is in no way')
})

void test('without it the same loop is as late as there are clients', async (t) => {
  t.ok(overloaded(3, 0.005, false).p99Ms > 1_000)
})

void test('below its capacity nothing is turned away', async (t) => {
  const share = new AdmittedShare()
  for (let sample = 0; sample < 100; sample++) share.step(0.3 + 0.6 * (sample % 2))
  t.equal(share.share, 1)
})

void test('one slow moment turns nobody away, and three in a row do', async (t) => {
  const share = new AdmittedShare()
  for (const pressure of [0, 4, 0, 3, 3, 0.5, 1, 4]) share.step(pressure)
  t.equal(share.share, 1)
  for (const pressure of [2, 2]) share.step(pressure)
  t.ok(share.share < 1)
})

void test('what was taken is given back slowly, and then it is over', async (t) => {
  const share = new AdmittedShare()
  for (let sample = 0; sample < 50; sample++) share.step(4)
  t.equal(share.share, 0.02, 'something passes always')
  const steps: number[] = []
  while (share.share < 1 && steps.length < 1_000) {
    steps.push(share.share)
    share.step(0)
  }
  t.ok(steps.length > 40, `${steps.length} samples`)
  t.ok(steps.length < 200, `${steps.length} samples`)
  t.ok(
    steps.every((value, index) => index === 0 || value <= (steps[index - 1] as number) * 1.051),
    'by 5 % at a time',
  )
})
