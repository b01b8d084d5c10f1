import { once } from 'node:events'
import { mock } from 'node:test'
import { Duplex } from 'node:stream'
import { test, type Test } from 'tap'
import { Tunnel } from '../../../services/websocket/tunnel.ts'
import { frame } from './frames.ts'

/** Longer than a connection that is over may take to say so. */
const LONG_MS = 60_000

/** An end that takes what is written to it when it is told to. */
class SlowEnd extends Duplex {
  readonly taken: Buffer[] = []
  #waiting: (() => void)[] = []

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#waiting.push(() => {
      this.taken.push(chunk)
      done()
    })
  }

  takeAll(): void {
    for (const taken of this.#waiting.splice(0)) taken()
  }
}

function between(t: Test): { client: SlowEnd; upstream: SlowEnd; tunnel: Tunnel; endings: string[] } {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const client = new SlowEnd()
  const upstream = new SlowEnd({ allowHalfOpen: false })
  const endings: string[] = []
  const tunnel = new Tunnel(
    {
      client,
      upstream,
      maxMessageBytes: 1024,
      extended: false,
      now: () => 0,
      ended: (how) => void endings.push(how),
    },
    { client: Buffer.alloc(0), upstream: Buffer.alloc(0) },
  )
  return { client, upstream, tunnel, endings }
}

const LAST = frame({ masked: false, payload: 'the last word' })

void test('a slow client gets the last message, however soon its upstream is gone', async (t) => {
  const { client, upstream, endings } = between(t)
  upstream.push(LAST)
  upstream.push(null)
  await once(upstream, 'close')
  mock.timers.tick(LONG_MS)
  t.equal(client.destroyed, false, 'it has not taken it yet')
  client.takeAll()
  await once(client, 'finish')
  t.ok(Buffer.concat(client.taken).equals(LAST))
  mock.timers.tick(LONG_MS)
  t.equal(client.destroyed, true, 'from there on it is a matter of moments')
  await once(client, 'close')
  t.strictSame(endings, ['upstream'])
})

void test('a client that takes nothing more is left when it has been idle, or the gateway drains', async (t) => {
  const { client, upstream, tunnel, endings } = between(t)
  upstream.push(LAST)
  upstream.push(null)
  await once(upstream, 'close')
  tunnel.leave('idle', 1001)
  t.equal(client.destroyed, false)
  mock.timers.tick(LONG_MS)
  await once(client, 'close')
  t.strictSame(endings, ['upstream'])
})
