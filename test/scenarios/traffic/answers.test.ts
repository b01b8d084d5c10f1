import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { decoded } from '../../decode.ts'
import { everyProtocol, isProblem, PATIENCE, startGateway } from '../../helper.ts'
import { connectRaw } from '../../raw-client.ts'
import { startUpstream } from '../../upstream-server.ts'

const GONE = { status: 410, headers: { 'Cache-Control': 'max-age=60', 'X-Why': 'moved' }, body: 'gone für immer' }

everyProtocol('a route answers by itself, by the same admission as any', async (t, protocol) => {
  const upstream = await startUpstream(t, (exchange) => exchange.respond())
  const gateway = await startGateway(t, {
    upstreams: { origin: { targets: [upstream.origin] } },
    routes: {
      '/api/*': { to: 'origin' },
      'GET,HEAD,POST /gone/*': { answer: GONE, encodedSlash: 'refuse' },
      '/nothing': { answer: { status: 204 } },
    },
  })
  const client = await gateway.client(protocol)
  const got = await client.request({ path: '/gone/1?x=1' })
  t.equal(got.status, 410)
  t.equal(String(got.body), 'gone für immer')
  t.equal(got.get('content-type'), 'text/plain; charset=utf-8')
  t.equal(got.get('content-length'), String(Buffer.byteLength('gone für immer')))
  t.equal(got.get('cache-control'), 'max-age=60')
  t.match(got.get('x-request-id'), /./)
  t.match(got.get('date'), / GMT$/)
  const head = await client.request({ method: 'HEAD', path: '/gone/1' })
  t.strictSame([head.status, head.body.length, head.get('content-length')], [410, 0, got.get('content-length')])
  const post = await client.request({ method: 'POST', path: '/gone/1', body: 'x'.repeat(200_000) })
  t.equal(post.status, 410)
  const empty = await client.request({ path: '/nothing' })
  t.strictSame([empty.status, empty.body.length, empty.get('content-type')], [204, 0, undefined])
  isProblem(t, await client.request({ method: 'DELETE', path: '/gone/1' }), 405)
  isProblem(t, await client.request({ path: '/gone/a%2Fb' }), 400)
  t.equal(upstream.requests.length, 0)
})

everyProtocol('a client that has an answer gets no more than that it still holds', async (t, protocol) => {
  const body = 'hello '.repeat(500)
  const validators = { ETag: '"v1"', 'Last-Modified': 'Mon, 02 Nov 2026 00:00:00 GMT' }
  const gateway = await startGateway(t, {
    compression: true,
    routes: {
      '/known': { answer: { headers: { ...validators, 'Cache-Control': 'no-cache' }, body } },
      '/gone': { answer: { status: 410, headers: validators, body } },
      '/plain': { answer: { body } },
    },
  })
  const client = await gateway.client(protocol)
  const ask = async (method: string, path: string, field: [string, string]) => {
    const { status, body: got, get } = await client.request({ method, path, fields: [field] })
    return [status, got.length, get('etag')]
  }
  for (const method of ['GET', 'HEAD']) {
    t.strictSame(await ask(method, '/known', ['If-None-Match', '"v0", "v1"']), [304, 0, '"v1"'])
    t.strictSame(await ask(method, '/known', ['If-Modified-Since', validators['Last-Modified']]), [304, 0, '"v1"'])
  }
  t.strictSame(await ask('GET', '/known', ['If-None-Match', '"v0"']), [200, body.length, '"v1"'])
  t.strictSame(await ask('POST', '/known', ['If-None-Match', '"v1"']), [200, body.length, '"v1"'])
  t.strictSame(await ask('GET', '/gone', ['If-None-Match', '"v1"']), [410, body.length, '"v1"'])
  t.strictSame(await ask('GET', '/plain', ['If-None-Match', '"v1"']), [200, body.length, undefined])
  const coded = await client.request({ path: '/known', fields: [['Accept-Encoding', 'gzip']] })
  const tag = coded.get('etag') ?? ''
  const again = { path: '/known', fields: [['Accept-Encoding', 'gzip'] as const, ['If-None-Match', tag] as const] }
  t.match(await client.request(again), { status: 304 }, `known by ${tag} as well`)
})

void test('a body that nobody reads leaves the connection to the next request', { timeout: PATIENCE }, async (t) => {
  const gateway = await startGateway(t, { routes: { '/*': { answer: { body: 'hello' } } } })
  const raw = await gateway.raw()
  const head = 'POST / HTTP/1.1\r\nHost: a\r\n'
  t.equal(String((await raw.exchange(`${head}Content-Length: 5\r\n\r\nfirst`)).body), 'hello')
  t.equal(String((await raw.exchange(`${head}Content-Length: 6\r\n\r\nsecond`)).body), 'hello')
  const asking = await connectRaw(t, { port: gateway.ports.cleartext })
  const answer = await asking.exchange(`${head}Content-Length: 5\r\nExpect: 100-continue\r\n\r\n`)
  t.strictSame([answer.status, answer.get('connection')], [200, 'close'])
})

void test('a body may be a file, whose name says its type', { timeout: PATIENCE }, async (t) => {
  // Not the test's own folder, which the gateway's certificate takes.
  const folder = mkdtempSync(join(tmpdir(), 'headrace-answers-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const page = join(folder, 'page.HTML')
  writeFileSync(page, `<h1>${'x'.repeat(100_000)}</h1>`)
  writeFileSync(join(folder, 'odd.bin'), Buffer.from([0, 255, 254]))
  const gateway = await startGateway(t, {
    routes: {
      '/page': { answer: { file: page } },
      '/odd': { answer: { file: join(folder, 'odd.bin'), headers: { 'content-type': 'application/x-odd' } } },
    },
  })
  for (const protocol of ['h1', 'h2'] as const) {
    const client = await gateway.client(protocol)
    const answer = await client.request({ path: '/page' })
    t.strictSame([answer.body.length, answer.get('content-type')], [100_009, 'text/html; charset=utf-8'])
    const odd = await client.request({ path: '/odd' })
    t.strictSame([...odd.body], [0, 255, 254])
    t.equal(odd.get('content-type'), 'application/x-odd')
  }
})

everyProtocol('an answer is compressed as its client likes it, small or large', async (t, protocol) => {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-answers-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'large.txt'), 'large '.repeat(20_000))
  const gateway = await startGateway(t, {
    compression: true,
    routes: {
      '/small': { answer: { body: 'small '.repeat(500) } },
      '/large': { answer: { file: join(folder, 'large.txt') } },
      '/never': { answer: { body: 'never '.repeat(500) }, compression: false },
    },
  })
  const client = await gateway.client(protocol)
  for (const [path, text] of [
    ['/small', 'small '.repeat(500)],
    ['/large', 'large '.repeat(20_000)],
  ] as const) {
    for (const coding of ['gzip', 'br', 'gzip', 'gzip', 'gzip', 'identity']) {
      const answer = await client.request({ path, fields: [['Accept-Encoding', coding]] })
      t.equal(answer.get('content-encoding'), coding === 'identity' ? undefined : coding)
      t.equal(answer.get('vary'), 'Accept-Encoding')
      t.equal(decoded(answer), text)
    }
    const head = await client.request({ method: 'HEAD', path, fields: [['Accept-Encoding', 'gzip']] })
    t.strictSame([head.status, head.get('content-encoding')], [200, undefined])
  }
  const never = await client.request({ path: '/never', fields: [['Accept-Encoding', 'gzip']] })
  t.equal(never.get('content-encoding'), undefined)
})
