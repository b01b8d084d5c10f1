import { test } from 'tap'
import { CONTROL_PLANE, everyProtocol, gatewayBeforeOrigin, PATIENCE } from '../../helper.ts'
import { data, FLAG, FRAME, type Frame, frame, goaway, headers, type RawH2, rst } from '../../raw-h2.ts'
import { startRawH2Upstream } from '../../raw-h2-upstream.ts'
import type { Field } from '../../wire.ts'

const CODES = { NO_ERROR: 0, PROTOCOL_ERROR: 1, INTERNAL_ERROR: 2, REFUSED_STREAM: 7, CANCEL: 8 } as const

interface Row {
  name: string
  fields?: Field[]
  /** After the head and the first bytes, which the client has seen. */
  ending(h2: RawH2, stream: number): void
}

const ROWS: Row[] = [
  ...Object.entries(CODES).map(
    ([name, code]): Row => ({ name: `RST_STREAM(${name})`, ending: (h2, stream) => h2.send(rst(stream, code)) }),
  ),
  {
    name: 'RST_STREAM(NO_ERROR) right behind further bytes',
    ending: (h2, stream) => h2.send(data(stream, 'more'), rst(stream, 0)),
  },
  {
    name: 'RST_STREAM(CANCEL) right behind further bytes',
    ending: (h2, stream) => h2.send(data(stream, 'more'), rst(stream, 8)),
  },
  {
    name: 'RST_STREAM(NO_ERROR) within content-length',
    fields: [['content-length', '100']],
    ending: (h2, stream) => h2.send(rst(stream, 0)),
  },
  {
    name: 'END_STREAM within content-length',
    fields: [['content-length', '100']],
    ending: (h2, stream) => h2.send(data(stream, '', true)),
  },
  { name: 'FIN', ending: (h2) => h2.socket.end() },
  { name: 'a dead socket', ending: (h2) => h2.socket.destroy() },
  { name: 'GOAWAY(NO_ERROR) for the stream, then FIN', ending: (h2, stream) => h2.socket.end(goaway(stream, 0)) },
  { name: 'GOAWAY(NO_ERROR) that excludes the stream', ending: (h2) => h2.send(goaway(0, 0)) },
  { name: 'GOAWAY(INTERNAL_ERROR)', ending: (h2, stream) => h2.send(goaway(stream, 2)) },
  { name: 'GOAWAY(NO_ERROR), then RST_STREAM', ending: (h2, stream) => h2.send(goaway(stream, 0), rst(stream, 0)) },
  {
    name: 'GOAWAY(NO_ERROR) for the stream, then a dead socket',
    ending: (h2, stream) => h2.socket.write(goaway(stream, 0), () => h2.socket.destroy()),
  },
  { name: 'a frame that is none', ending: (h2, stream) => h2.send(frame(FRAME.window, 0, stream, Buffer.alloc(3))) },
  {
    name: 'RST_STREAM(NO_ERROR) of an event stream',
    fields: [['content-type', 'text/event-stream']],
    ending: (h2, stream) => h2.send(rst(stream, 0)),
  },
]

for (const { name, fields = [], ending } of ROWS) {
  everyProtocol(`${name}: the client sees a broken response`, async (t, protocol) => {
    const seen = Promise.withResolvers<void>()
    let count = 0
    const upstream = await startRawH2Upstream(t, async (h2, stream) => {
      if (++count > 1) return h2.send(headers(stream, [[':status', '200']], false), data(stream, 'good', true))
      h2.send(headers(stream, [[':status', '200'], ...fields], false), data(stream, 'begun'))
      await seen.promise
      ending(h2, stream)
    })
    const gateway = await gatewayBeforeOrigin(t, upstream.origin)
    const client = await gateway.client(protocol)
    const exchange = await client.open({ path: '/bad' })
    t.equal((await exchange.response.chunk())?.toString(), 'begun')
    seen.resolve()
    t.equal(await exchange.response.ending(), 'broken')
    t.equal(upstream.requests, 1, 'it is not tried again: bytes have gone out')
    t.equal((await client.request({ path: '/good' })).body.toString(), 'good')
  })
}

for (const [name, fields, trailers] of [
  ['without a length', [], false],
  ['with content-length', [['content-length', '250000']], false],
  ['with trailers', [], true],
] satisfies [string, Field[], boolean][]) {
  everyProtocol(
    `a slow client gets all of an answer ${name} whose upstream wants no more of the request`,
    async (t, protocol) => {
      const sent = Promise.withResolvers<void>()
      // Within the window that undici opens, and more than what goes to a client that reads nothing over HTTP/2.
      const upstream = await startRawH2Upstream(t, async (h2, stream) => {
        const pieces = Array.from({ length: 25 }, (_, i) => data(stream, 'x'.repeat(10_000), i === 24 && !trailers))
        const end = trailers ? [headers(stream, [['x-sum', '42']])] : []
        h2.send(headers(stream, [[':status', '200'], ...fields], false), ...pieces, ...end, rst(stream, 0))
        h2.send(frame(FRAME.ping, 0, 0, Buffer.alloc(8)))
        const isAnswer = ({ type, flags }: Frame): boolean => type === FRAME.ping && flags === FLAG.ack
        await h2.until(() => h2.frames.find(isAnswer))
        sent.resolve()
      })
      const gateway = await gatewayBeforeOrigin(t, upstream.origin)
      const client = await gateway.client(protocol)
      const exchange = await client.open({ method: 'POST', path: '/', streamBody: true })
      exchange.pause()
      await exchange.write('begun')
      await sent.promise
      exchange.resume()
      const { body } = await exchange.response.whole()
      t.equal(body.length, 250_000)
    },
  )
}

void test('a truncated answer of an HTTP/2 upstream is counted as such, and counts as no answer', {
  timeout: PATIENCE,
}, async (t) => {
  const upstream = await startRawH2Upstream(t, (h2, stream) => {
    h2.send(headers(stream, [[':status', '200']], false), data(stream, 'begun'), rst(stream, 0))
  })
  const gateway = await gatewayBeforeOrigin(t, upstream.origin, {}, { admin: CONTROL_PLANE })
  const exchange = await (await gateway.client('h1')).open({ path: '/' })
  t.equal(await exchange.response.ending(), 'broken')
  const pools = await fetch(`${gateway.adminUrl}/performance/pools`, {
    headers: { authorization: `Bearer ${gateway.token}` },
  })
  t.match(await pools.json(), {
    pools: [{ outcomes: { truncated: 1, response: 0 }, lastError: { code: 'HR_UPSTREAM_TRUNCATED' } }],
  })
})

everyProtocol('RST_STREAM(NO_ERROR) behind all of content-length: nothing is missing', async (t, protocol) => {
  const upstream = await startRawH2Upstream(t, (h2, stream) => {
    const fields: Field[] = [
      [':status', '200'],
      ['content-length', '5'],
    ]
    h2.send(headers(stream, fields, false), data(stream, 'whole'), rst(stream, CODES.NO_ERROR))
  })
  const gateway = await gatewayBeforeOrigin(t, upstream.origin)
  const client = await gateway.client(protocol)
  for (let turn = 0; turn < 2; turn++) {
    const response = await client.request({ path: '/' })
    t.equal(response.status, 200)
    t.equal(response.body.toString(), 'whole')
  }
  t.equal(upstream.connections.length, 1)
})
