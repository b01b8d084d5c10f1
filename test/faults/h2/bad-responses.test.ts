import { test } from 'tap'
import { gatewayBeforeH2, startH2Upstream } from '../../h2-upstream.ts'
import { gatewayBeforeOrigin, isProblem, PATIENCE } from '../../helper.ts'
import { data, headers, type RawH2 } from '../../raw-h2.ts'
import { startRawH2Upstream } from '../../raw-h2-upstream.ts'
import type { Field } from '../../wire.ts'

const OK: Field[] = [[':status', '200']]
const answer = (h2: RawH2, stream: number): void => h2.send(headers(stream, OK, false), data(stream, 'answer', true))
const code = (response: { body: Buffer }): string => (JSON.parse(response.body.toString()) as { code: string }).code

for (const [name, fields] of Object.entries({
  'a connection-specific field': [...OK, ['connection', 'x-drop']],
  'Transfer-Encoding': [...OK, ['transfer-encoding', 'chunked']],
  'no :status': [['x-a', 'b']],
  'an upper-case name': [...OK, ['X-Upper', 'b']],
  'two lengths': [...OK, ['content-length', '5'], ['content-length', '6']],
  'a length that is none': [...OK, ['content-length', '5x']],
} as Record<string, Field[]>)) {
  void test(`a head with ${name} is answered 502`, { timeout: PATIENCE }, async (t) => {
    const upstream = await startRawH2Upstream(t, (h2, stream) => {
      if (stream > 1 || h2 !== upstream.connections[0]) return answer(h2, stream)
      h2.send(headers(stream, fields, false), data(stream, 'x', true))
    })
    const gateway = await gatewayBeforeOrigin(t, upstream.origin)
    const client = await gateway.client('h1')
    const response = await client.request({ path: '/bad' })
    isProblem(t, response, 502)
    t.equal(code(response), 'HR_UPSTREAM_INVALID_RESPONSE')
    t.equal((await client.request({ path: '/good' })).body.toString(), 'answer')
  })
}

void test('a field with a control character is left out, as by every reader on nghttp2', {
  timeout: PATIENCE,
}, async (t) => {
  const upstream = await startRawH2Upstream(t, (h2, stream) => {
    h2.send(headers(stream, [...OK, ['x-a', 'b\r\nx-injected: 1'], ['x-b', 'c']], false), data(stream, 'answer', true))
  })
  const gateway = await gatewayBeforeOrigin(t, upstream.origin)
  const response = await (await gateway.client('h1')).request({ path: '/' })
  t.equal(response.get('x-a'), undefined)
  t.equal(response.get('x-injected'), undefined)
  t.equal(response.get('x-b'), 'c')
})

void test('a head larger than the gateway takes is answered 502', { timeout: PATIENCE }, async (t) => {
  const many = Array.from({ length: 1_000 }, (_, n): Field => [`x-${n}`, 'v'.repeat(100)])
  const upstream = await startH2Upstream(t, ({ stream, headers: { ':path': path } }) => {
    stream.respond({ ':status': 200, ...(path === '/bad' && Object.fromEntries(many)) })
    stream.end('answer')
  })
  const gateway = await gatewayBeforeOrigin(t, upstream.origin)
  const client = await gateway.client('h1')
  const response = await client.request({ path: '/bad' })
  isProblem(t, response, 502)
  t.equal((await client.request({ path: '/good' })).body.toString(), 'answer')
})

void test('a request head larger than the upstream takes is answered, and the connection goes on', {
  timeout: PATIENCE,
}, async (t) => {
  const { gateway } = await gatewayBeforeH2(
    t,
    ({ stream }) => {
      stream.respond({ ':status': 200 })
      stream.end('answer')
    },
    { server: { settings: { maxHeaderListSize: 2_000 } } },
  )
  const client = await gateway.client('h1')
  t.equal((await client.request({ path: '/' })).body.toString(), 'answer')
  const response = await client.request({ path: '/', fields: [['X-Large', 'x'.repeat(4_000)]] })
  isProblem(t, response, 502)
  t.equal((await client.request({ path: '/' })).body.toString(), 'answer')
})
