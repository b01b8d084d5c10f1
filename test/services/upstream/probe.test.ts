import { once } from 'node:events'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { test, type Test } from 'tap'
import { Deadlines } from '../../../services/upstream/deadlines.ts'
import { Prober } from '../../../services/upstream/probe.ts'
import { targetAt } from './target-at.ts'

const LIMIT_MS = 2_000

/** A target at `port`, and a prober whose clock stands still until the test moves it. */
function probed(t: Test, port: number) {
  const url = `http://127.0.0.1:${port}`
  const target = targetAt(t, url)
  const clock = { now: 0 }
  const now = (): number => clock.now
  // Its timer never comes: the test calls `tick`.
  const deadlines = new Deadlines({ tickMs: 1e9, now })
  t.teardown(() => deadlines.close())
  const prober = new Prober({ deadlines, limitMs: LIMIT_MS, now })
  return { target, clock, deadlines, probe: () => prober.probe([target]) }
}

/** A server that counts requests, and answers or keeps them waiting. */
async function server(t: Test, answers: boolean, port = 0): Promise<{ port: number; heads: string[]; asked: Server }> {
  const heads: string[] = []
  const asked = createServer((socket) => {
    socket.on('error', () => undefined) // the gateway gives up: that is the point
    socket.on('data', (bytes) => {
      heads.push(bytes.toString().split('\r\n')[0] as string)
      if (answers) socket.write('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n')
      asked.emit('asked')
    })
    t.teardown(() => socket.destroy())
  })
  asked.listen(port, '127.0.0.1')
  await once(asked, 'listening')
  t.teardown(() => asked.close())
  return { port: (asked.address() as AddressInfo).port, heads, asked }
}

void test('a target that answers, whatever it answers, is up, and is not asked again', async (t) => {
  const { port, heads } = await server(t, true)
  const { target, probe, clock } = probed(t, port)
  await probe()
  t.equal(target.reached, 'up')
  t.equal(target.lastError, null)
  clock.now = 60_000
  await probe()
  t.same(heads, ['HEAD / HTTP/1.1'])
  t.equal(target.outcomes.response, 0, 'a probe is no attempt')
})

void test('a refused connection makes a target down; once it accepts again, the next probe finds it up', async (t) => {
  const first = await server(t, true)
  first.asked.close()
  await once(first.asked, 'close')
  const { target, probe, clock } = probed(t, first.port)
  await probe()
  t.equal(target.reached, 'down')
  t.match(target.lastError, { outcome: 'connect_error', code: 'ECONNREFUSED' })
  await server(t, true, first.port)
  clock.now = 999
  await probe()
  t.equal(target.reached, 'down', 'what was found is believed for a second')
  clock.now = 1_000
  await probe()
  t.equal(target.reached, 'up')
})

void test('a target that accepts and does not answer is late, not down; all who ask wait together', async (t) => {
  const { port, heads, asked } = await server(t, false)
  const { target, probe, clock, deadlines } = probed(t, port)
  const waiting = [probe(), probe()]
  await once(asked, 'asked')
  waiting.push(probe())
  clock.now = LIMIT_MS
  deadlines.tick()
  await Promise.all(waiting)
  t.equal(heads.length, 1)
  t.equal(target.reached, 'up')
  t.match(target.lastError, { outcome: 'first_byte_timeout' })
})

void test('a connection that breaks before an answer leaves the state as it was', async (t) => {
  const { port, asked } = await server(t, false)
  asked.on('connection', (socket) => socket.destroy())
  const { target, probe } = probed(t, port)
  await probe()
  t.equal(target.reached, 'unknown')
  t.ok(target.lastError)
})

void test('closing ends a probe', async (t) => {
  const { port, asked } = await server(t, false)
  const { target, probe } = probed(t, port)
  const waiting = probe()
  await once(asked, 'asked')
  await target.pool.destroy()
  await waiting
  t.not(target.reached, 'up')
})
