import { test } from 'tap'
import { gatewayBeforeH2 } from '../../h2-upstream.ts'
import { everyProtocol, gatewayBeforeOrigin, isProblem, PATIENCE, TIMEOUTS } from '../../helper.ts'
import { data, FRAME, headers, type RawH2 } from '../../raw-h2.ts'
import { startRawH2Upstream } from '../../raw-h2-upstream.ts'
import { Milestones } from '../../signal.ts'
import { LONGER_MS, pass, passUntil, SHORT, SHORT_MS } from '../../standing-clock.ts'
import type { Field } from '../../wire.ts'

const OK: Field[] = [[':status', '200']]
const answer = (h2: RawH2, stream: number): void => h2.send(headers(stream, OK, false), data(stream, 'answer', true))

void test('no head in time is answered 504, and the stream reset', { timeout: PATIENCE }, async (t) => {
  const upstream = await startRawH2Upstream(t, (h2, stream) => (stream > 1 ? answer(h2, stream) : undefined))
  const gateway = await gatewayBeforeOrigin(t, upstream.origin, { timeout: { ...TIMEOUTS, firstByte: SHORT } })
  const client = await gateway.client('h1')
  const late = client.request({ path: '/' })
  const h2 = await upstream.connected()
  await h2.request(1)
  await pass(LONGER_MS)
  isProblem(t, await late, 504)
  await h2.until(() => h2.frames.find(({ type }) => type === FRAME.reset))
  t.equal((await client.request({ path: '/' })).body.toString(), 'answer')
  t.equal(upstream.connections.length, 1)
})

everyProtocol('a body that stalls breaks the response and resets the stream', async (t, protocol) => {
  const upstream = await startRawH2Upstream(t, (h2, stream) =>
    h2.send(headers(stream, OK, false), data(stream, 'begun')),
  )
  const gateway = await gatewayBeforeOrigin(t, upstream.origin, { timeout: { ...TIMEOUTS, idle: SHORT } })
  const exchange = await (await gateway.client(protocol)).open({ path: '/' })
  t.equal((await exchange.response.chunk())?.toString(), 'begun')
  await pass(LONGER_MS)
  t.equal(await exchange.response.ending(), 'broken')
  const h2 = await upstream.connected()
  t.ok(await h2.until(() => h2.frames.find(({ type }) => type === FRAME.reset)))
})

everyProtocol('a body that keeps moving may take longer than idle', async (t, protocol) => {
  const arrived = new Milestones()
  const { gateway } = await gatewayBeforeH2(
    t,
    async ({ stream }) => {
      let body = ''
      for await (const text of stream.setEncoding('utf8') as AsyncIterable<string>) {
        body += text
        arrived.advance()
      }
      stream.respond({ ':status': 200 })
      stream.end(body)
    },
    { to: { timeout: { ...TIMEOUTS, idle: SHORT } } },
  )
  const exchange = await (await gateway.client(protocol)).open({ method: 'POST', path: '/', streamBody: true })
  for (let turn = 1; turn <= 10; turn++) {
    await exchange.write('x')
    await arrived.wait(turn)
    await pass(SHORT_MS / 2)
  }
  exchange.end()
  t.equal((await exchange.response.whole()).body.toString(), 'x'.repeat(10))
})

void test('an upstream that allows no streams: 504 in time', { timeout: PATIENCE }, async (t) => {
  const { gateway } = await gatewayBeforeH2(t, () => t.fail('no stream is allowed'), {
    server: { settings: { maxConcurrentStreams: 0 } },
    to: { timeout: { ...TIMEOUTS, total: SHORT, firstByte: SHORT } },
  })
  const client = await gateway.client('h1')
  for (let turn = 0; turn < 2; turn++) isProblem(t, await passUntil(client.request({ path: '/' })), 504)
})
