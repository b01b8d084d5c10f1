import type { Test } from 'tap'
import type { Protocol } from '../../client.ts'
import { everyProtocol, gatewayBeforeOrigin, isProblem } from '../../helper.ts'
import { data, goaway, headers, rst, type RawH2 } from '../../raw-h2.ts'
import { startRawH2Upstream } from '../../raw-h2-upstream.ts'
import type { Field } from '../../wire.ts'

/** Of an upstream over TLS, and of one in cleartext. */
const bothWays = (name: string, body: (t: Test, protocol: Protocol) => Promise<void>): void =>
  everyProtocol(name, body, ['h1', 'h2c'])

const OK: Field[] = [[':status', '200']]
const answer = (h2: RawH2, stream: number): void => h2.send(headers(stream, OK, false), data(stream, 'answer', true))
const code = (response: { body: Buffer }): string => (JSON.parse(response.body.toString()) as { code: string }).code

for (const [name, error] of Object.entries({
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  INTERNAL_ERROR: 2,
  CANCEL: 8,
  HTTP_1_1_REQUIRED: 13,
})) {
  for (const request of [{ path: '/bad' }, { method: 'POST', path: '/bad', body: 'abc' }]) {
    bothWays(
      `RST_STREAM(${name}) before a head: ${request.method ?? 'GET'} is answered 502 and not repeated`,
      async (t, protocol) => {
        let count = 0
        const upstream = await startRawH2Upstream(t, (h2, stream) =>
          ++count === 2 ? h2.send(rst(stream, error)) : answer(h2, stream),
        )
        const gateway = await gatewayBeforeOrigin(t, upstream.origin)
        const client = await gateway.client(protocol)
        t.equal((await client.request({ path: '/good' })).body.toString(), 'answer')
        const response = await client.request(request)
        isProblem(t, response, 502)
        t.equal(code(response), name === 'PROTOCOL_ERROR' ? 'HR_UPSTREAM_INVALID_RESPONSE' : 'HR_UPSTREAM_RESET')
        t.equal((await client.request({ path: '/good' })).body.toString(), 'answer')
        t.equal(upstream.requests, 3)
        t.equal(upstream.connections.length, 1, 'the connection is still good')
      },
    )
  }
}

for (const request of [{ path: '/' }, { method: 'POST', path: '/', fields: [['Content-Length', '0']] as Field[] }]) {
  bothWays(`REFUSED_STREAM: ${request.method ?? 'GET'} without a body is sent once more`, async (t, protocol) => {
    let count = 0
    const upstream = await startRawH2Upstream(t, (h2, stream) =>
      ++count === 1 ? h2.send(rst(stream, 7)) : answer(h2, stream),
    )
    const gateway = await gatewayBeforeOrigin(t, upstream.origin)
    const response = await (await gateway.client(protocol)).request(request)
    t.equal(response.body.toString(), 'answer')
    t.equal(upstream.requests, 2)
  })
}

bothWays('REFUSED_STREAM for good is answered 502, after one repetition', async (t, protocol) => {
  const upstream = await startRawH2Upstream(t, (h2, stream) => h2.send(rst(stream, 7)))
  const gateway = await gatewayBeforeOrigin(t, upstream.origin)
  isProblem(t, await (await gateway.client(protocol)).request({ path: '/' }), 502)
  t.equal(upstream.requests, 2)
})

bothWays('REFUSED_STREAM of a request with a body is answered 502', async (t, protocol) => {
  const upstream = await startRawH2Upstream(t, (h2, stream) => h2.send(rst(stream, 7)))
  const gateway = await gatewayBeforeOrigin(t, upstream.origin)
  isProblem(t, await (await gateway.client(protocol)).request({ method: 'POST', path: '/', body: 'abc' }), 502)
  t.equal(upstream.requests, 1)
})

for (const method of ['GET', 'POST']) {
  bothWays(
    `GOAWAY that excludes a ${method} without a body: it is sent over another connection`,
    async (t, protocol) => {
      const upstream = await startRawH2Upstream(t, (h2, stream) =>
        h2 === upstream.connections[0] ? h2.send(goaway(0, 0)) : answer(h2, stream),
      )
      const gateway = await gatewayBeforeOrigin(t, upstream.origin)
      const response = await (await gateway.client(protocol)).request({ method, path: '/' })
      t.equal(response.body.toString(), 'answer')
      t.equal(upstream.requests, 2)
      t.equal(upstream.connections.length, 2)
    },
  )
}

bothWays('GOAWAY for good is answered 502, after one repetition', async (t, protocol) => {
  const upstream = await startRawH2Upstream(t, (h2) => h2.send(goaway(0, 0)))
  const gateway = await gatewayBeforeOrigin(t, upstream.origin)
  isProblem(t, await (await gateway.client(protocol)).request({ path: '/' }), 502)
  t.equal(upstream.requests, 2)
})

bothWays(
  'GOAWAY that includes a request: it is finished there, the next goes over another connection',
  async (t, protocol) => {
    const upstream = await startRawH2Upstream(t, async (h2, stream) => {
      if (h2 === upstream.connections[0]) h2.send(goaway(stream, 0))
      answer(h2, stream)
    })
    const gateway = await gatewayBeforeOrigin(t, upstream.origin)
    const client = await gateway.client(protocol)
    for (let turn = 0; turn < 2; turn++) t.equal((await client.request({ path: '/' })).body.toString(), 'answer')
    t.equal(upstream.connections.length, 2)
  },
)

bothWays('a connection that dies before a head: a POST is answered 502 and sent once', async (t, protocol) => {
  let count = 0
  const upstream = await startRawH2Upstream(t, (h2, stream) =>
    ++count === 1 ? answer(h2, stream) : h2.socket.destroy(),
  )
  const gateway = await gatewayBeforeOrigin(t, upstream.origin)
  const client = await gateway.client(protocol)
  t.equal((await client.request({ path: '/' })).status, 200)
  isProblem(t, await client.request({ method: 'POST', path: '/', fields: [['Content-Length', '0']] }), 502)
  t.equal(upstream.requests, 2)
})

bothWays('a connection that dies before a head: a GET is sent once more, over another', async (t, protocol) => {
  let count = 0
  const upstream = await startRawH2Upstream(t, (h2, stream) =>
    ++count === 2 ? h2.socket.destroy() : answer(h2, stream),
  )
  const gateway = await gatewayBeforeOrigin(t, upstream.origin)
  const client = await gateway.client(protocol)
  t.equal((await client.request({ path: '/' })).status, 200)
  t.equal((await client.request({ path: '/' })).body.toString(), 'answer')
  t.equal(upstream.requests, 3)
})
