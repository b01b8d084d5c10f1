import { everyProtocol, gatewayBeforeOrigin, TIMEOUTS } from '../../helper.ts'
import { data, FRAME, headers, rst, type RawH2 } from '../../raw-h2.ts'
import { startRawH2Upstream } from '../../raw-h2-upstream.ts'
import { passUntil, SHORT } from '../../standing-clock.ts'
import type { Field } from '../../wire.ts'

const OK: Field[] = [[':status', '200']]
const answer = (h2: RawH2, stream: number): void => h2.send(headers(stream, OK, false), data(stream, 'answer', true))

/** How the gateway has finished the request of a stream. */
const requestEnd = (h2: RawH2, stream: number): Promise<'END_STREAM' | 'RST_STREAM' | 'closed'> =>
  h2.over(stream).then((how) => (how === 'ended' ? 'END_STREAM' : how === 'reset' ? 'RST_STREAM' : 'closed'))

for (const begun of [false, true]) {
  everyProtocol(
    `a client that leaves ${begun ? 'within' : 'before'} the answer: the stream is reset`,
    async (t, protocol) => {
      const upstream = await startRawH2Upstream(t, (h2, stream) => {
        if (begun) h2.send(headers(stream, OK, false), data(stream, 'begun'))
      })
      const gateway = await gatewayBeforeOrigin(t, upstream.origin)
      const exchange = await (await gateway.client(protocol)).open({ path: '/' })
      const h2 = await upstream.connected()
      const stream = await h2.request(1)
      if (begun) await exchange.response.chunk()
      exchange.abort()
      t.ok(await h2.until(() => h2.frames.find(({ type, stream: id }) => type === FRAME.reset && id === stream)))
    },
  )
}

everyProtocol('a client that leaves within its body: the request is reset, never completed', async (t, protocol) => {
  const upstream = await startRawH2Upstream(t, () => undefined)
  const gateway = await gatewayBeforeOrigin(t, upstream.origin)
  const exchange = await (await gateway.client(protocol)).open({ method: 'POST', path: '/', streamBody: true })
  await exchange.write('half of')
  const h2 = await upstream.connected()
  const stream = await h2.request(1)
  await h2.until(() => h2.frames.find(({ type }) => type === FRAME.data))
  exchange.abort()
  t.equal(await requestEnd(h2, stream), 'RST_STREAM')
})

everyProtocol(
  'a body that the upstream does not take in time: 504, the request is reset, never completed',
  async (t, protocol) => {
    const upstream = await startRawH2Upstream(t, () => undefined)
    const gateway = await gatewayBeforeOrigin(t, upstream.origin, { timeout: { ...TIMEOUTS, idle: SHORT } })
    const exchange = await (await gateway.client(protocol)).open({ method: 'POST', path: '/', streamBody: true })
    await exchange.write('half of')
    const h2 = await upstream.connected()
    const stream = await h2.request(1)
    t.equal((await passUntil(exchange.response.head())).status, 504)
    t.equal(await requestEnd(h2, stream), 'RST_STREAM')
    exchange.abort()
  },
)

everyProtocol('a body of another length than it says: the request is reset, never completed', async (t, protocol) => {
  const upstream = await startRawH2Upstream(t, () => undefined)
  const gateway = await gatewayBeforeOrigin(t, upstream.origin)
  const client = await gateway.client(protocol)
  const exchange = await client.open({
    method: 'POST',
    path: '/',
    streamBody: true,
    fields: [['Content-Length', '10']],
  })
  await exchange.write('half')
  const h2 = await upstream.connected()
  const stream = await h2.request(1)
  if (protocol === 'h1') exchange.abort()
  else exchange.end()
  t.equal(await requestEnd(h2, stream), 'RST_STREAM')
})

everyProtocol('an answer before the request is complete reaches the client whole', async (t, protocol) => {
  const upstream = await startRawH2Upstream(t, async (h2, stream) => {
    await h2.until(() => h2.frames.find(({ type }) => type === FRAME.data))
    answer(h2, stream)
    h2.send(rst(stream, 0))
  })
  const gateway = await gatewayBeforeOrigin(t, upstream.origin)
  const exchange = await (await gateway.client(protocol)).open({ method: 'POST', path: '/', streamBody: true })
  await exchange.write('half of')
  t.equal((await exchange.response.chunk())?.toString(), 'answer')
  exchange.abort()
})

everyProtocol(
  'an answer before the request is complete: the rest is given up, and the stream reset',
  async (t, protocol) => {
    const upstream = await startRawH2Upstream(t, async (h2, stream) => {
      await h2.until(() => h2.frames.find(({ type }) => type === FRAME.data))
      answer(h2, stream)
    })
    const gateway = await gatewayBeforeOrigin(t, upstream.origin)
    const exchange = await (await gateway.client(protocol)).open({ method: 'POST', path: '/', streamBody: true })
    await exchange.write('half of')
    t.equal((await exchange.response.chunk())?.toString(), 'answer')
    const h2 = await upstream.connected()
    t.equal(await requestEnd(h2, await h2.request(1)), 'RST_STREAM')
    exchange.abort()
  },
)
