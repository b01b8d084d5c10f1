import { test } from 'tap'
import { everyProtocol, gatewayBefore, PATIENCE } from '../helper.ts'
import { headers, requestFields } from '../raw-h2.ts'

interface Row {
  name: string
  fields: string
  /** Sent with the head; the client has seen it before the rest is sent. */
  begun: string
  rest: string
  ending: 'fin' | 'reset'
}

const CHUNKED = 'Transfer-Encoding: chunked'
const ROWS: Row[] = [
  { name: 'fewer bytes than content-length', fields: 'Content-Length: 100', begun: 'begun', rest: '', ending: 'fin' },
  { name: 'a reset within content-length', fields: 'Content-Length: 100', begun: 'begun', rest: '', ending: 'reset' },
  { name: 'a chunked body without a last chunk', fields: CHUNKED, begun: '5\r\nbegun\r\n', rest: '', ending: 'fin' },
  { name: 'an end within a chunk', fields: CHUNKED, begun: 'ff\r\nbegun', rest: '', ending: 'fin' },
  { name: 'a reset between chunks', fields: CHUNKED, begun: '5\r\nbegun\r\n', rest: '', ending: 'reset' },
  { name: 'an end within the trailers', fields: CHUNKED, begun: '5\r\nbegun\r\n', rest: '0\r\nX-A: ', ending: 'fin' },
  { name: 'a chunk size that is none', fields: CHUNKED, begun: '5\r\nbegun\r\n', rest: 'zz\r\n\r\n', ending: 'fin' },
  { name: 'a chunk longer than it says', fields: CHUNKED, begun: '5\r\nbegun', rest: 'XX\r\n0\r\n\r\n', ending: 'fin' },
  { name: 'a reset of a body that the close delimits', fields: 'X-A: b', begun: 'begun', rest: '', ending: 'reset' },
  {
    name: 'a reset of an event stream',
    fields: `Content-Type: text/event-stream\r\n${CHUNKED}`,
    begun: '5\r\nbegun\r\n',
    rest: '',
    ending: 'reset',
  },
]

for (const { name, fields, begun, rest, ending } of ROWS) {
  everyProtocol(`${name}: the client sees a broken response, never a complete one`, async (t, protocol) => {
    const seen = Promise.withResolvers<void>()
    const { gateway, upstream } = await gatewayBefore(t, async (exchange) => {
      if (exchange.request.target === '/good') return exchange.respond(200, [], 'good')
      await exchange.send(`HTTP/1.1 200 OK\r\n${fields}\r\n\r\n${begun}`)
      await seen.promise
      await exchange.send(rest)
      exchange[ending]()
    })
    const client = await gateway.client(protocol)
    const exchange = await client.open({ path: '/bad' })
    t.equal((await exchange.response.chunk())?.toString(), 'begun')
    seen.resolve()
    t.equal(await exchange.response.ending(), 'broken')
    t.equal(upstream.requests.length, 1, 'it is not tried again: bytes have gone out')
    t.equal((await client.request({ path: '/good' })).body.toString(), 'good')
  })
}

void test('a truncated response without a length ends in RST_STREAM with an error code on HTTP/2', {
  timeout: PATIENCE,
}, async (t) => {
  const seen = Promise.withResolvers<void>()
  const { gateway } = await gatewayBefore(t, async (exchange) => {
    await exchange.send(`HTTP/1.1 200 OK\r\n${CHUNKED}\r\n\r\n5\r\nbegun\r\n`)
    await seen.promise
    exchange.fin()
  })
  const h2 = await gateway.rawH2()
  h2.send(headers(1, requestFields()))
  await h2.outcome(1)
  seen.resolve()
  t.equal(await h2.over(1), 'reset')
  const reset = h2.frames.find(({ type }) => type === 3)
  t.not(reset?.payload.readUInt32BE(0), 0, 'NO_ERROR would look like an end')
})
