import { connect, type IncomingHttpHeaders, sensitiveHeaders } from 'node:http2'
import { test, type Test } from 'tap'
import { gatewayBefore, type Gateway } from '../helper.ts'
import { headers, requestFields, rst } from '../raw-h2.ts'

const CACHED = { route: { cache: true } }

async function headOf(t: Test, { ports }: Gateway): Promise<IncomingHttpHeaders> {
  const session = connect(`http://127.0.0.1:${ports.cleartext}`)
  t.teardown(() => session.destroy())
  const stream = session.request({ ':path': '/' })
  const { promise, resolve } = Promise.withResolvers<IncomingHttpHeaders>()
  stream.on('response', resolve)
  return promise
}

void test('what says something else in each answer takes no place in the dynamic table', async (t) => {
  const cacheable = [['Cache-Control', 'max-age=60'] as const]
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond(200, [...cacheable]), CACHED)
  const miss = await headOf(t, gateway)
  const hit = await headOf(t, gateway)
  t.match(hit['cache-status'], /; hit;/)
  t.equal(upstream.requests.length, 1)
  const never = (head: IncomingHttpHeaders): string[] =>
    (head as unknown as Record<symbol, string[]>)[sensitiveHeaders]?.toSorted() ?? []
  t.strictSame(never(miss), ['cache-status', 'server-timing', 'x-request-id'])
  t.strictSame(never(hit), ['cache-status', 'x-request-id'])
})

void test('a hit that its client resets on the way ends alone', async (t) => {
  const body = 'x'.repeat(200_000)
  const { gateway, upstream } = await gatewayBefore(
    t,
    (exchange) => exchange.respond(200, [['Cache-Control', 'max-age=60']], body),
    CACHED,
  )
  await (await gateway.client('h1')).request({ path: '/', fields: [['Host', 'gateway.test']] })
  const h2 = await gateway.rawH2()
  const CANCEL = 8
  const INTERNAL_ERROR = 2
  for (const [stream, code] of [
    [1, CANCEL],
    [3, INTERNAL_ERROR],
  ] as const) {
    h2.send(headers(stream, requestFields()))
    t.strictSame(await h2.outcome(stream), { status: 200 })
    h2.send(rst(stream, code))
  }
  h2.send(headers(5, requestFields([], { ':method': 'HEAD' })))
  t.equal(await h2.over(5), 'ended')
  t.equal(upstream.requests.length, 1)
})

void test('a status that HTTP/2 clients cannot be told is that of no answer', async (t) => {
  const { gateway } = await gatewayBefore(t, async (exchange) => {
    if (exchange.request.target === '/fine') return exchange.respond(200)
    await exchange.send('HTTP/1.1 999 Denied\r\nTransfer-Encoding: chunked\r\n\r\n')
    await exchange.stall()
  })
  const h2 = await gateway.rawH2()
  h2.send(headers(1, requestFields()))
  t.strictSame(await h2.outcome(1), { status: 502 })
  h2.send(headers(3, requestFields([], { ':path': '/fine' })))
  t.strictSame(await h2.outcome(3), { status: 200 })
})
