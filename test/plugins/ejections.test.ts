import Fastify from 'fastify'
import { test } from 'tap'
import controlPlugin from '../../plugins/control.ts'
import ejections from '../../plugins/ejections.ts'
import { LocalControl } from '../../services/control/local.ts'
import type { UpstreamListener } from '../../services/upstream/events.ts'

const EJECTION = { upstream: 'orders', target: 'http://10.0.0.5:4001', reason: '5 failures in a row' }

void test('a process tells of what it has ejected, and follows what others have: neither twice', async (t) => {
  const fastify = Fastify()
  t.teardown(() => fastify.close())
  const local = new LocalControl()
  const followed: unknown[] = []
  let tell: UpstreamListener | null = null
  const upstreams = {
    follow: (ejection: unknown) => void followed.push(ejection),
    watch: (listener: UpstreamListener) => {
      tell = listener
      return () => void (tell = null)
    },
  }
  const told: unknown[] = []
  const control = { tell: async (...all: unknown[]) => void told.push(all) }
  await fastify.register(controlPlugin, { control: control as unknown as LocalControl })
  await fastify.register(ejections, { upstreams, local, process: 7 })
  const happened = tell as UpstreamListener | null
  happened?.({ type: 'ejected', ...EJECTION, forMs: 10_000, followed: true })
  happened?.({ type: 'returned', upstream: 'orders', target: EJECTION.target })
  t.strictSame(told, [])
  happened?.({ type: 'ejected', ...EJECTION, forMs: 10_000, followed: false })
  t.match(told, [['target-ejected', { from: 7, ...EJECTION, until: Number }]])

  const until = Date.now() + 10_000
  await local.apply('target-ejected', [{ from: 7, ...EJECTION, until }])
  t.strictSame(followed, [], 'its own comes back to it')
  await local.apply('target-ejected', [{ from: 8, ...EJECTION, until }])
  t.strictSame(followed, [{ ...EJECTION, until }])
  await fastify.close()
  t.equal(tell, null)
})
