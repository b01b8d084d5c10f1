import { once } from 'node:events'
import { connect } from 'node:net'
import { http1Client } from '../clients.ts'
import { Gateway } from '../gateway.ts'
import { BODY_BYTES, Origin } from '../origin.ts'
import { Paced } from '../paced.ts'
import { type Findings, figure, none, type Proof } from '../proof.ts'

const CONNECTIONS = 400
const DRIP_EVERY_MS = 500
const PER_SECOND = 100
/** After which the rest is given up. */
const LONGEST_MS = 30_000

/** A head that never ends. @returns after how many seconds the connection was closed */
async function drip(port: number): Promise<number> {
  const socket = connect({ port, host: '127.0.0.1' })
  socket.on('error', () => undefined) // 'close' follows
  await once(socket, 'connect')
  const openedAt = performance.now()
  socket.write('GET / HTTP/1.1\r\nHost: proof.test\r\nX-Slow: ')
  socket.resume()
  const timer = setInterval(() => socket.write('x'), DRIP_EVERY_MS)
  const limit = setTimeout(() => socket.destroy(), LONGEST_MS)
  // An answer and the end, or a reset: the connection is of no more use.
  await Promise.race([once(socket, 'end'), once(socket, 'close')])
  clearInterval(timer)
  clearTimeout(limit)
  socket.destroy()
  return (performance.now() - openedAt) / 1000
}

async function run(): Promise<Findings> {
  await using origin = await Origin.start()
  await using gateway = await Gateway.start({
    upstreams: { origin: { targets: [origin.url] } },
    routes: { '/*': { to: 'origin' } },
  })
  const client = http1Client(gateway.port, 20)
  const probe = new Paced(PER_SECOND, () => client.ask('/', { status: 200, bodyBytes: BODY_BYTES }))
  const lasted = await Promise.all(Array.from({ length: CONNECTIONS }, () => drip(gateway.port)))
  const result = await probe.end()
  client.close()
  return {
    figures: [
      figure('connections', CONNECTIONS),
      figure('the first was closed after', Math.min(...lasted), 's'),
      figure('the last was closed after', Math.max(...lasted), 's', { atMost: 12 }),
      figure('requests meanwhile', result.sent),
      none('failed', result.failed),
      figure('p99', result.p99Ms, 'ms'),
    ],
  }
}

export const slowHeads: Proof = {
  name: 'slow-heads',
  title: `${CONNECTIONS} connections whose request heads never end`,
  limitMs: 60_000,
  run,
}
