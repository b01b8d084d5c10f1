import { test } from 'tap'
import { MirrorCounters } from '../../../services/mirror/counters.ts'
import { Mirror } from '../../../services/mirror/mirror.ts'
import type { MirrorOptions } from '../../../services/mirror/options.ts'
import type { ProxyContext } from '../../../services/proxy/proxy-context.ts'
import { makeExchange } from '../downstream/make-exchange.ts'

const OPTIONS: MirrorOptions = { to: 'shadow', share: 1, methods: ['GET'], bodyBytes: 10, inFlight: 3 }

void test('each request is drawn by itself, and the copies under way are bounded', async (t) => {
  const counts = new MirrorCounters().mirror('/*', 'shadow')
  const draws = [0.3, 0.1, 0.25, 0, 0.2, 0.1]
  const mirror = new Mirror(
    { ...OPTIONS, share: 0.25 },
    { plan: {} as never, counts, random: () => draws.shift()!, failed: (error) => t.fail('failed', { error }) },
  )
  const copied = Array.from({ length: 6 }, () => mirror.copyOf(makeExchange() as never, {} as ProxyContext) !== null)
  t.strictSame(copied, [false, true, false, true, true, false])
  t.strictSame(counts, { sent: 0, failed: 0, dropped: { busy: 1, body_too_large: 0, body_incomplete: 0 } })
})

void test('counters are those of a route and its shadow, whoever asks for them', async (t) => {
  const counters = new MirrorCounters()
  counters.mirror('/*', 'shadow').sent++
  counters.mirror('/*', 'shadow').sent++
  counters.mirror('/a', 'shadow').sent++
  t.strictSame(
    counters.snapshot().map(({ route, counts }) => [route, counts.sent]),
    [
      ['/*', 2],
      ['/a', 1],
    ],
  )
})
