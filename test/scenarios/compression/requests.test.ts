import { buffer } from 'node:stream/consumers'
import { brotliCompressSync, constants, createZstdCompress, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { test } from 'tap'
import { everyProtocol, gatewayBefore, isProblem, PATIENCE } from '../../helper.ts'
import type { Script } from '../../upstream-server.ts'
import type { Field } from '../../wire.ts'

const BODY = JSON.stringify(Array.from({ length: 500 }, (_, id) => ({ id, name: `vehicle ${id}` })))
const MIB = 2 ** 20
const ZEROS = Buffer.alloc(64 * MIB)
const ok: Script = (exchange) => exchange.respond()
const coded = (coding: string): Field[] => [
  ['Content-Type', 'application/json'],
  ['Content-Encoding', coding],
]
const post = (coding: string, body: Buffer) => ({ method: 'POST', path: '/', fields: coded(coding), body })

everyProtocol('an upstream gets the body without its coding, and nothing that spoke of it', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBefore(t, ok, { route: { decompress: true } })
  const client = await gateway.client(protocol)
  const ways: [string, Buffer][] = [
    ['zstd', zstdCompressSync(BODY)],
    ['br', brotliCompressSync(BODY)],
    ['gzip', gzipSync(BODY)],
    ['X-GZIP', gzipSync(BODY)],
    ['deflate', deflateSync(BODY)],
  ]
  for (const [index, [coding, bytes]] of ways.entries()) {
    const request = post(coding, bytes)
    request.fields.push(['Content-Digest', 'sha-256=:x:'])
    t.equal((await client.request(request)).status, 200, coding)
    const received = upstream.requests[index]
    t.equal(received?.body.toString(), BODY, coding)
    t.equal(received?.get('content-encoding'), undefined)
    t.equal(received?.get('content-digest'), undefined)
    t.equal(received?.get('content-length'), undefined)
    t.equal(received?.get('content-type'), 'application/json')
  }
})

everyProtocol('what has no coding goes on as it is, and so does everything without the option', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBefore(t, ok, { route: { decompress: true } })
  const client = await gateway.client(protocol)
  await client.request({ method: 'POST', path: '/', body: BODY })
  t.equal(upstream.requests[0]?.body.toString(), BODY)
  if (protocol === 'h1') t.equal(upstream.requests[0]?.get('content-length'), String(BODY.length))
  await client.request(post('identity', Buffer.from(BODY)))
  t.equal(upstream.requests[1]?.body.toString(), BODY)
  const without = await gatewayBefore(t, ok)
  const bytes = gzipSync(BODY)
  await (await without.gateway.client(protocol)).request(post('gzip', bytes))
  t.same(without.upstream.requests[0]?.body, bytes)
  t.equal(without.upstream.requests[0]?.get('content-encoding'), 'gzip')
})

everyProtocol('a coding that nobody knows, and several, are 415, with those that are known', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBefore(t, ok, { route: { decompress: true } })
  const client = await gateway.client(protocol)
  for (const coding of ['compress', 'gzip, br', 'made-up']) {
    const response = await client.request(post(coding, gzipSync(BODY)))
    isProblem(t, response, 415)
    t.match(response.body.toString(), 'HR_REQUEST_ENCODING')
    t.equal(response.get('accept-encoding'), 'zstd, br, gzip, deflate')
  }
  t.equal(upstream.requests.length, 0)
})

/** 64 MiB of zeros. */
const BOMBS = [
  ['gzip', gzipSync(ZEROS, { level: 1 })],
  ['br', brotliCompressSync(ZEROS, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })],
  ['zstd', zstdCompressSync(ZEROS)],
] as const

everyProtocol('a bomb is 413, by its ratio, and never whole at the upstream', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBefore(t, ok, {
    route: { decompress: true },
    config: { limits: { bodySize: '1GB' } },
    upstream: { discardBodies: true },
  })
  const client = await gateway.client(protocol)
  for (const [coding, bomb] of BOMBS) {
    const response = await client.request(post(coding, bomb))
    isProblem(t, response, 413)
    t.match(response.body.toString(), 'HR_REQUEST_EXPANSION')
  }
  for (const { complete, bodyBytes } of upstream.requests) t.ok(!complete && bodyBytes < 32 * MIB, `${bodyBytes} bytes`)
})

everyProtocol('what becomes too large is 413, whatever its ratio', async (t, protocol) => {
  const { gateway } = await gatewayBefore(t, ok, {
    route: { decompress: { maxRatio: 10_000, maxBytes: '8KiB' } },
    upstream: { discardBodies: true },
  })
  const client = await gateway.client(protocol)
  const response = await client.request(post('gzip', gzipSync(BODY)))
  isProblem(t, response, 413)
  t.match(response.body.toString(), 'HR_REQUEST_BODY_TOO_LARGE')
  t.equal((await client.request(post('gzip', gzipSync('small')))).status, 200, 'the next is taken')
})

everyProtocol(
  'what stands behind the end of what is coded is 400, and a further member is content',
  async (t, protocol) => {
    const { gateway, upstream } = await gatewayBefore(t, ok, { route: { decompress: true } })
    const client = await gateway.client(protocol)
    const codings = [
      ['gzip', gzipSync(BODY)],
      ['deflate', deflateSync(BODY)],
      ['br', brotliCompressSync(BODY)],
      ['zstd', zstdCompressSync(BODY)],
    ] as const
    for (const [coding, coded] of codings) {
      const response = await client.request(post(coding, Buffer.concat([coded, Buffer.from('and more')])))
      isProblem(t, response, 400)
      t.match(response.body.toString(), 'HR_REQUEST_CODED', coding)
    }
    // gzip(1) takes zeros for padding, and leaves what comes after them to others.
    for (const padding of ['\0', '\0and more']) {
      const response = await client.request(post('gzip', Buffer.concat([gzipSync(BODY), Buffer.from(padding)])))
      isProblem(t, response, 400)
      t.match(response.body.toString(), 'HR_REQUEST_CODED')
    }
    t.notOk(
      upstream.requests.some(({ complete }) => complete),
      'none of it is passed off as whole',
    )
    for (const coding of ['gzip', 'zstd'] as const) {
      const coded = Object.fromEntries(codings)[coding] as Buffer
      const response = await client.request(post(coding, Buffer.concat([coded, coded])))
      t.equal(response.status, 200)
      t.equal(upstream.requests.at(-1)?.body.toString(), `${BODY}${BODY}`, coding)
    }
  },
)

everyProtocol('what is no such coding, or not whole, is 400', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBefore(t, ok, { route: { decompress: true } })
  const client = await gateway.client(protocol)
  for (const body of [Buffer.from('no gzip at all'), gzipSync(BODY).subarray(0, 100)]) {
    const response = await client.request(post('gzip', body))
    isProblem(t, response, 400)
    t.match(response.body.toString(), 'HR_REQUEST_CODED')
  }
  t.notOk(
    upstream.requests.some(({ complete }) => complete),
    'none of it is passed off as whole',
  )
})

everyProtocol('a client that leaves within its upload: the upstream never sees an end', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBefore(t, ok, { route: { decompress: true } })
  const client = await gateway.client(protocol)
  const exchange = await client.open({ method: 'POST', path: '/', fields: coded('gzip'), streamBody: true })
  await exchange.write(gzipSync(BODY).subarray(0, 500))
  await upstream.received(1)
  exchange.abort()
  t.ok(await upstream.closed(0))
  t.notOk(upstream.requests[0]?.complete)
})

everyProtocol('zstd has the window that RFC 9659 gives it, and no more of the memory', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBefore(t, ok, { route: { decompress: true } })
  const client = await gateway.client(protocol)
  for (const [bits, status] of [
    [23, 200],
    [24, 400],
  ] as const) {
    const coder = createZstdCompress({ params: { [constants.ZSTD_c_windowLog]: bits } })
    // In two pieces: of one, zstd knows the length, and asks for no more.
    coder.write(BODY.slice(0, 10))
    coder.flush(() => coder.end(BODY.slice(10)))
    t.equal((await client.request(post('zstd', await buffer(coder)))).status, status, `${bits} bits`)
  }
  t.equal(upstream.requests[0]?.body.toString(), BODY)
})

void test('who asks before sending is told to go on when the upstream is there', { timeout: PATIENCE }, async (t) => {
  const { gateway, upstream } = await gatewayBefore(t, ok, { route: { decompress: true } })
  const client = await gateway.client('h1')
  const bytes = gzipSync(BODY)
  const exchange = await client.open({
    method: 'POST',
    path: '/',
    fields: [...coded('gzip'), ['Expect', '100-continue'], ['Content-Length', String(bytes.length)]],
    streamBody: true,
  })
  t.equal((await exchange.response.interim()).status, 100)
  await exchange.write(bytes)
  t.equal((await exchange.response.whole()).status, 200)
  t.equal(upstream.requests[0]?.body.toString(), BODY)
})
