import { gzipSync } from 'node:zlib'
import { test, type Test } from 'tap'
import { request } from 'undici'
import { type ConfigInput, everyProtocol, type Gateway, PATIENCE, startManagedGateway, TIMEOUTS } from '../../helper.ts'
import { type Play, REFUSING_ORIGIN, type Script, startUpstream, type Upstream } from '../../upstream-server.ts'
import { until } from '../../until.ts'

const ok: Play = (exchange) => exchange.respond(200, [], 'real')

interface Before {
  gateway: Gateway
  real: Upstream
  shadow: Upstream
  /** A metric's value, without labels but `reason`. */
  counted(name: string, reason?: string): Promise<number>
}

async function beforeMirror(
  t: Test,
  shadowPlay: Script,
  {
    mirror = {},
    route = {},
    origin,
    script = ok,
  }: { mirror?: ConfigInput; route?: ConfigInput; origin?: string; script?: Script } = {},
): Promise<Before> {
  const [real, shadow] = await Promise.all([startUpstream(t, script), startUpstream(t, shadowPlay)])
  const gateway = await startManagedGateway(t, {
    upstreams: {
      real: { targets: [real.origin], timeout: TIMEOUTS },
      shadow: { targets: [origin ?? shadow.origin], timeout: TIMEOUTS },
    },
    routes: { '/*': { to: 'real', mirror: { to: 'shadow', ...mirror }, ...route } },
  })
  const counted = async (name: string, reason = ''): Promise<number> => {
    const { body } = await request(`${gateway.adminUrl}/metrics`, { headers: { authorization: 'Bearer test-token' } })
    const lines = (await body.text()).split('\n').filter((line) => line.startsWith(`headrace_mirror_${name}{`))
    return Number(
      lines
        .find((line) => line.includes(reason))
        ?.split(' ')
        .at(-1),
    )
  }
  return { gateway, real, shadow, counted }
}

everyProtocol('the shadow gets what the upstream gets, and a mark', async (t, protocol) => {
  const { gateway, real, shadow } = await beforeMirror(t, (exchange) => exchange.respond(500, [], 'ignored'))
  const client = await gateway.client(protocol)
  const answer = await client.request({
    path: '/a?b=1',
    fields: [
      ['X-Mine', 'yes'],
      ['Cookie', 'sid=1'],
      ['X-Headrace-Mirror', 'forged'],
      ['X-Headrace-Mirage', 'as long'],
    ],
  })
  t.equal(answer.status, 200)
  t.equal(String(answer.body), 'real')
  const copy = await shadow.received()
  const original = await real.received()
  t.equal(copy.target, '/a?b=1')
  t.strictSame(
    copy.fields.filter(([name]) => name.toLowerCase() === 'x-headrace-mirror'),
    [['x-headrace-mirror', '1']],
  )
  const others = (fields: typeof copy.fields) =>
    fields.filter(([name]) => !/^(host|x-headrace-mirror)$/i.test(name)).map(String)
  t.strictSame(others(copy.fields), others(original.fields))
  t.equal(original.get('x-headrace-mirror'), 'forged', 'what clients send goes on unchanged')
})

everyProtocol('a body is copied whole, where its method is', async (t, protocol) => {
  const { gateway, real, shadow } = await beforeMirror(t, ok, { mirror: { methods: ['POST'], bodySize: '1KiB' } })
  const client = await gateway.client(protocol)
  t.equal(String((await client.request({ method: 'POST', path: '/', body: 'x'.repeat(1024) })).body), 'real')
  await shadow.completed(1)
  t.equal(shadow.requests[0]?.body.length, 1024)
  t.equal(shadow.requests[0]?.get('content-length'), '1024')
  const streamed = await client.open({ method: 'POST', path: '/', streamBody: true })
  await streamed.write('one')
  await real.received(2)
  t.equal(shadow.requests.length, 1, 'not before the body is there')
  await streamed.write('two')
  streamed.end()
  t.equal(String((await streamed.response.whole()).body), 'real')
  await shadow.completed(2)
  t.equal(String(shadow.requests[1]?.body), 'onetwo')
})

void test('methods that change something are not copied unless the route says so', { timeout: PATIENCE }, async (t) => {
  const { gateway, shadow, counted } = await beforeMirror(t, ok)
  const client = await gateway.client('h1')
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) await client.request({ method, path: '/', body: 'x' })
  await client.request({ path: '/read' })
  await shadow.received(1)
  t.strictSame(
    shadow.requests.map(({ target }) => target),
    ['/read'],
  )
  t.equal(await counted('sent_total'), 1)
})

void test('a body that is too large, declared or not, is not copied and not kept', { timeout: PATIENCE }, async (t) => {
  const { gateway, shadow, counted } = await beforeMirror(t, ok, { mirror: { methods: ['POST'], bodySize: '1KiB' } })
  const client = await gateway.client('h1')
  t.equal((await client.request({ method: 'POST', path: '/', body: 'x'.repeat(1025) })).status, 200)
  const streamed = await client.open({ method: 'POST', path: '/', streamBody: true })
  await streamed.write('x'.repeat(1000))
  await streamed.write('x'.repeat(1000))
  streamed.end()
  t.equal((await streamed.response.whole()).status, 200)
  t.equal(await counted('dropped_total', 'body_too_large'), 2)
  t.equal(shadow.requests.length, 0)
})

void test('a body that breaks off is not copied', { timeout: PATIENCE }, async (t) => {
  const { gateway, real, counted } = await beforeMirror(t, ok, {
    mirror: { methods: ['POST'] },
    script: (exchange) => exchange.stall(),
  })
  const client = await gateway.client('h1')
  const streamed = await client.open({ method: 'POST', path: '/', streamBody: true })
  await streamed.write('half')
  await real.received(1)
  streamed.abort()
  await real.closed(0)
  t.equal(await counted('dropped_total', 'body_incomplete'), 1)
  t.equal(await counted('sent_total'), 0)
})

void test('a shadow that hangs, fails or cannot be reached has no effect on clients', {
  timeout: PATIENCE,
}, async (t) => {
  const hung = await beforeMirror(t, (exchange) => exchange.stall(), { mirror: { inFlight: 2 } })
  const client = await hung.gateway.client('h1')
  for (let i = 0; i < 5; i++) t.equal(String((await client.request({ path: '/' })).body), 'real')
  await hung.shadow.received(2)
  t.equal(await hung.counted('sent_total'), 2)
  t.equal(await hung.counted('dropped_total', 'busy'), 3)
  const broken = await beforeMirror(t, (exchange) => exchange.reset())
  t.equal(String((await (await broken.gateway.client('h1')).request({ path: '/' })).body), 'real')
  await broken.shadow.closed(0)
  const gone = await beforeMirror(t, ok, { origin: REFUSING_ORIGIN })
  t.equal(String((await (await gone.gateway.client('h1')).request({ path: '/' })).body), 'real')
  const failed = (before: Before): Promise<void> => until(async () => (await before.counted('failed_total')) >= 1)
  await failed(broken)
  await failed(gone)
  // Nobody waits for a shadow: it says nothing of whether requests should come here.
  const { statusCode } = await request(`${gone.gateway.adminUrl}/ready`)
  t.equal(statusCode, 200)
})

void test('an answer without end gives its place back', { timeout: PATIENCE }, async (t) => {
  const endless: Play = async (exchange) => {
    await exchange.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
    for (;;) await exchange.chunk('x'.repeat(65_536))
  }
  const { gateway, shadow, counted } = await beforeMirror(t, endless, { mirror: { inFlight: 1 } })
  const client = await gateway.client('h1')
  await client.request({ path: '/' })
  await shadow.closed(0)
  await client.request({ path: '/' })
  await shadow.received(2)
  t.equal(await counted('failed_total'), 0)
})

void test('what the cache answers is not copied; what it asks is', { timeout: PATIENCE }, async (t) => {
  const { gateway, shadow, counted } = await beforeMirror(t, ok, { route: { cache: { ttl: '1m' } } })
  const client = await gateway.client('h1')
  for (let i = 0; i < 3; i++) await client.request({ path: '/a' })
  await shadow.received(1)
  t.equal(await counted('sent_total'), 1)
})

void test('a share of the requests is copied: none, where it is 0', { timeout: PATIENCE }, async (t) => {
  const { gateway, shadow, counted } = await beforeMirror(t, ok, { mirror: { share: 0 } })
  const client = await gateway.client('h1')
  for (let i = 0; i < 3; i++) await client.request({ path: '/' })
  t.equal(await counted('sent_total'), 0)
  t.equal(shadow.requests.length, 0)
})

everyProtocol('a body that is decompressed is copied as the upstream gets it', async (t, protocol) => {
  const { gateway, real, shadow } = await beforeMirror(t, ok, {
    mirror: { methods: ['POST'] },
    route: { decompress: true },
  })
  const client = await gateway.client(protocol)
  const text = 'plain '.repeat(1000)
  const fields: [string, string][] = [['Content-Encoding', 'gzip']]
  t.equal((await client.request({ method: 'POST', path: '/', fields, body: gzipSync(text) })).status, 200)
  await shadow.completed(1)
  for (const { requests } of [real, shadow]) {
    t.equal(String(requests[0]?.body), text)
    t.equal(requests[0]?.get('content-encoding'), undefined)
  }
})
