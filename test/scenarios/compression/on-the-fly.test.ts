import { gzipSync } from 'node:zlib'
import { type Test, test } from 'tap'
import type { Coding } from '../../../services/compression/rules/negotiation.ts'
import { everyProtocol, gatewayBefore, PATIENCE, type SetUp } from '../../helper.ts'
import { heldByKernel } from '../../kernel-buffers.ts'
import { standstill } from '../../signal.ts'
import type { Script } from '../../upstream-server.ts'
import type { Field } from '../../wire.ts'
import { decoded, streamDecoder } from '../../decode.ts'

const ROWS = JSON.stringify(Array.from({ length: 200 }, (_, id) => ({ id, name: `vehicle ${id}`, status: 'parked' })))
const JSON_TYPE: Field = ['Content-Type', 'application/json']
const ALL: Field = ['Accept-Encoding', 'gzip, br, zstd']
const MIB = 2 ** 20

const compressing =
  (script: Script, route: SetUp['route'] = {}) =>
  (t: Test): ReturnType<typeof gatewayBefore> =>
    gatewayBefore(t, script, { route: { compression: true, ...route } })

const rows: Script = (exchange) =>
  exchange.respond(200, [JSON_TYPE, ['ETag', '"v1"'], ['Accept-Ranges', 'bytes']], ROWS)

everyProtocol(
  'a client gets the coding that it likes, and what it decodes to is what the upstream sent',
  async (t, protocol) => {
    const { gateway } = await compressing(rows)(t)
    const client = await gateway.client(protocol)
    for (const coding of ['zstd', 'br', 'gzip'] as const) {
      const response = await client.request({ path: '/', fields: [['Accept-Encoding', `${coding}, *;q=0.1`]] })
      t.equal(response.get('content-encoding'), coding)
      t.equal(response.get('vary'), 'Accept-Encoding')
      t.equal(response.get('etag'), 'W/"v1"')
      t.equal(response.get('accept-ranges'), undefined)
      t.equal(response.get('content-length'), String(response.body.length), 'small ones keep a length')
      t.ok(response.body.length < ROWS.length / 5)
      t.equal(decoded(response), ROWS)
    }
    const plain = await client.request({ path: '/' })
    t.equal(plain.body.toString(), ROWS)
    t.equal(plain.get('content-encoding'), undefined)
    t.equal(plain.get('etag'), '"v1"')
    t.equal(plain.get('vary'), 'Accept-Encoding', 'a cache must not give this to all')
  },
)

everyProtocol('a large body streams through a coder, its length unknown', async (t, protocol) => {
  const large = ROWS.repeat(100)
  const { gateway } = await compressing((exchange) => exchange.respond(200, [JSON_TYPE], large))(t)
  const client = await gateway.client(protocol)
  for (const coding of ['zstd', 'br', 'gzip'] as const) {
    const response = await client.request({ path: '/', fields: [['Accept-Encoding', coding]] })
    t.equal(response.get('content-encoding'), coding)
    t.equal(response.get('content-length'), undefined)
    t.equal(decoded(response), large)
  }
})

void test('a small body that comes in pieces is whole', { timeout: PATIENCE }, async (t) => {
  const { gateway } = await compressing(async (exchange) => {
    await exchange.send(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${ROWS.length}\r\n\r\n`)
    for (let at = 0; at < ROWS.length; at += 1000) await exchange.send(ROWS.slice(at, at + 1000))
  })(t)
  const client = await gateway.client('h1')
  const response = await client.request({ path: '/', fields: [ALL] })
  t.equal(response.get('content-encoding'), 'zstd')
  t.equal(decoded(response), ROWS)
})

everyProtocol('each piece of a stream reaches the client before the next is sent', async (t, protocol) => {
  for (const coding of ['zstd', 'br', 'gzip'] as const) {
    const seen = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const { gateway } = await compressing(
      async (exchange) => {
        await exchange.send('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n')
        await exchange.chunk('data: 1\n\n')
        await seen[0]?.promise
        await exchange.chunk('data: 2\n\n')
        await seen[1]?.promise
        await exchange.lastChunk()
      },
      { compression: { types: ['text/event-stream'] } },
    )(t)
    const client = await gateway.client(protocol)
    const exchange = await client.open({ path: '/', fields: [['Accept-Encoding', coding]] })
    t.equal((await exchange.response.head()).get('content-encoding'), coding)
    const decoder = streamDecoder(coding)
    let text = ''
    decoder.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      if (text.endsWith('1\n\n')) seen[0]?.resolve()
      if (text.endsWith('2\n\n')) seen[1]?.resolve()
    })
    for (;;) {
      const chunk = await exchange.response.chunk()
      if (chunk === null) break
      decoder.write(chunk)
    }
    t.equal(text, 'data: 1\n\ndata: 2\n\n')
  }
})

void test('server-sent events are compressed by name only', { timeout: PATIENCE }, async (t) => {
  const { gateway } = await compressing(async (exchange) => {
    await exchange.send('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n')
    await exchange.chunk('data: 1\n\n')
    await exchange.lastChunk()
  })(t)
  const response = await (await gateway.client('h1')).request({ path: '/', fields: [ALL] })
  t.equal(response.get('content-encoding'), undefined)
  t.equal(response.body.toString(), 'data: 1\n\n')
})

everyProtocol('trailers come after a coded body, but for digests of the bytes as they were', async (t, protocol) => {
  const { gateway } = await compressing(async (exchange) => {
    await exchange.send('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n')
    await exchange.chunk('one')
    await exchange.lastChunk([
      ['X-Sum', '1'],
      ['Content-Digest', 'sha-256=:x:'],
    ])
  })(t)
  const client = await gateway.client(protocol)
  const response = await client.request({ path: '/', fields: [ALL, ['TE', 'trailers']] })
  t.equal(decoded(response), 'one')
  t.same(
    response.trailers.map(([name, value]) => [name.toLowerCase(), value]),
    [['x-sum', '1']],
  )
})

void test('what is not to be coded passes as it is', { timeout: PATIENCE }, async (t) => {
  const coded = gzipSync(ROWS)
  const plays: Record<string, Field[]> = {
    '/small': [JSON_TYPE],
    '/image': [['Content-Type', 'image/png']],
    '/fixed': [JSON_TYPE, ['Cache-Control', 'no-transform']],
    '/coded': [JSON_TYPE, ['Content-Encoding', 'gzip'], ['ETag', '"z"']],
    '/untyped': [],
  }
  const { gateway, upstream } = await compressing((exchange) => {
    const path = exchange.request.target
    const body = path === '/small' ? '{}' : path === '/coded' ? coded : ROWS
    return exchange.respond(200, plays[path] ?? [JSON_TYPE], body)
  })(t)
  const client = await gateway.client('h1')
  for (const path of Object.keys(plays)) {
    const response = await client.request({ path, fields: [['Accept-Encoding', 'br']] })
    t.equal(response.get('content-encoding'), path === '/coded' ? 'gzip' : undefined, path)
    t.equal(response.get('vary'), path === '/small' ? 'Accept-Encoding' : undefined, path)
    t.same(response.body, path === '/coded' ? coded : Buffer.from(path === '/small' ? '{}' : ROWS), path)
  }
  const byRequest = await client.request({ path: '/', fields: [ALL, ['Cache-Control', 'no-transform']] })
  t.equal(byRequest.get('content-encoding'), undefined)
  t.equal(byRequest.get('vary'), 'Accept-Encoding', 'others get another')
  const required = await client.request({ path: '/small', fields: [['Accept-Encoding', 'gzip, identity;q=0']] })
  t.equal(required.get('content-encoding'), 'gzip', 'who refuses what is not coded gets it coded, however small')
  t.equal(decoded(required), '{}')
  t.equal(upstream.requests.length, 7)
})

everyProtocol('HEAD, 204, 206 and 304 keep what they say', async (t, protocol) => {
  const { gateway } = await compressing((exchange) => {
    const { method, target } = exchange.request
    if (target === '/none') return exchange.send('HTTP/1.1 204 No Content\r\nContent-Type: application/json\r\n\r\n')
    if (target === '/same') return exchange.send('HTTP/1.1 304 Not Modified\r\nETag: "v1"\r\n\r\n')
    if (target === '/image')
      return exchange.send('HTTP/1.1 304 Not Modified\r\nContent-Type: image/png\r\nETag: "v1"\r\n\r\n')
    if (target === '/part') {
      return exchange.respond(206, [JSON_TYPE, ['Content-Range', `bytes 0-1999/${ROWS.length}`]], ROWS.slice(0, 2000))
    }
    if (method === 'HEAD') {
      return exchange.send(
        `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${ROWS.length}\r\nETag: "v1"\r\n\r\n`,
      )
    }
    return exchange.respond(200, [JSON_TYPE], ROWS)
  })(t)
  const client = await gateway.client(protocol)
  const head = await client.request({ method: 'HEAD', path: '/', fields: [ALL] })
  t.equal(head.get('content-length'), String(ROWS.length))
  t.equal(head.get('content-encoding'), undefined)
  t.equal(head.get('vary'), 'Accept-Encoding')
  t.equal(head.get('etag'), '"v1"')
  const none = await client.request({ path: '/none', fields: [ALL] })
  t.equal(none.status, 204)
  t.equal(none.get('content-encoding'), undefined)
  const part = await client.request({ path: '/part', fields: [ALL, ['Range', 'bytes=0-1999']] })
  t.equal(part.get('content-encoding'), undefined)
  t.equal(part.body.toString(), ROWS.slice(0, 2000))
  t.equal(part.get('vary'), 'Accept-Encoding')
  const same = await client.request({ path: '/same', fields: [ALL, ['If-None-Match', 'W/"v1"']] })
  t.equal(same.get('content-encoding'), undefined)
  t.equal(same.get('etag'), 'W/"v1"', 'the tag that the client has')
  t.equal(same.get('vary'), 'Accept-Encoding')
  const image = await client.request({ path: '/image', fields: [ALL, ['If-None-Match', '"v1"']] })
  t.equal(image.status, 304)
  t.equal(image.get('vary'), undefined, 'of a type that nobody gets coded')
  const ranged = await client.request({ path: '/', fields: [ALL, ['Range', 'bytes=0-1']] })
  t.equal(ranged.get('content-encoding'), undefined, 'who asks for parts gets bytes that parts fit to')
})

void test('If-Match goes on with the tag that the upstream gave', { timeout: PATIENCE }, async (t) => {
  const { gateway, upstream } = await compressing(rows)(t)
  const client = await gateway.client('h1')
  await client.request({ method: 'PATCH', path: '/', fields: [['If-Match', 'W/"v1"']], body: '{}' })
  t.equal(upstream.requests[0]?.get('if-match'), '"v1"')
})

void test('an HTTP/1.0 client gets a length, and so knows a whole answer from a part', {
  timeout: PATIENCE,
}, async (t) => {
  const { gateway } = await compressing(rows)(t)
  const raw = await gateway.raw()
  const response = raw.expect('GET')
  await raw.send('GET / HTTP/1.0\r\nHost: gateway.test\r\nAccept-Encoding: gzip\r\n\r\n')
  const answer = await response.whole()
  t.equal(answer.get('content-encoding'), undefined)
  t.equal(answer.body.toString(), ROWS)
})

everyProtocol('a body that breaks off is never passed off as whole', async (t, protocol) => {
  const seen = Promise.withResolvers<void>()
  const { gateway } = await compressing(async (exchange) => {
    await exchange.send('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n')
    await exchange.chunk('begun')
    await seen.promise
    exchange.reset()
  })(t)
  const client = await gateway.client(protocol)
  const exchange = await client.open({ path: '/', fields: [ALL] })
  await exchange.response.chunk()
  seen.resolve()
  t.equal(await exchange.response.ending(), 'broken')
})

everyProtocol('a client that reads nothing holds the upstream back, coder and all', async (t, protocol) => {
  // What cannot be made smaller: as much goes out as comes in.
  const block = Buffer.alloc(64 * 1024)
  let seed = 1
  for (let i = 0; i < block.length; i++) block[i] = (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) >>> 16
  const total = 16 * MIB
  let accepted = 0
  const { gateway, upstream } = await compressing(async (exchange) => {
    await exchange.send(`HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${total}\r\n\r\n`)
    for (; accepted < total; accepted += block.length) await exchange.send(block)
  })(t)
  const client = await gateway.client(protocol)
  const exchange = await client.open({ path: '/', fields: [['Accept-Encoding', 'gzip']], keepBody: false })
  exchange.pause()
  await upstream.received(1)
  const { cleartext, tls } = gateway.ports
  const held = (await standstill(() => accepted)) - heldByKernel(cleartext, tls, upstream.port)
  t.ok(held < 4 * MIB, `of what the upstream could write, ${held} bytes are on the way`)
  exchange.resume()
  t.equal(await exchange.response.ending(), 'complete')
})

everyProtocol('a client that leaves ends the upstream’s answer', async (t, protocol) => {
  const { gateway, upstream } = await compressing(async (exchange) => {
    await exchange.send('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n')
    await exchange.chunk('begun')
    await exchange.stall()
  })(t)
  const client = await gateway.client(protocol)
  const exchange = await client.open({ path: '/', fields: [ALL] })
  await exchange.response.chunk()
  exchange.abort()
  t.ok(await upstream.closed(0))
})

void test('what the upstream has coded is coded anew by option only', { timeout: PATIENCE }, async (t) => {
  const play: Script = (exchange) =>
    exchange.respond(200, [JSON_TYPE, ['Content-Encoding', 'gzip'], ['ETag', '"z"']], gzipSync(ROWS))
  const { gateway } = await compressing(play, { compression: { transcode: true } })(t)
  const client = await gateway.client('h1')
  const asks = async (accepted: string) => client.request({ path: '/', fields: [['Accept-Encoding', accepted]] })
  const expectations: [accepted: string, coding: Coding | undefined][] = [
    ['br', 'br'],
    ['zstd, gzip', 'zstd'],
    ['gzip', 'gzip'],
    ['identity', undefined],
    ['', undefined],
  ]
  for (const [accepted, coding] of expectations) {
    const response = await asks(accepted)
    t.equal(response.get('content-encoding'), coding, accepted)
    t.equal(decoded(response), ROWS, accepted)
    t.equal(response.get('etag'), coding === 'gzip' ? '"z"' : 'W/"z"', accepted)
    t.equal(response.get('vary'), 'Accept-Encoding', accepted)
  }
})

void test('what the upstream calls gzip and is none breaks off', { timeout: PATIENCE }, async (t) => {
  const play: Script = (exchange) => exchange.respond(200, [JSON_TYPE, ['Content-Encoding', 'gzip']], ROWS)
  const { gateway } = await compressing(play, { compression: { transcode: true } })(t)
  const exchange = await (await gateway.client('h1')).open({ path: '/', fields: [['Accept-Encoding', 'br']] })
  t.equal(await exchange.response.ending(), 'broken')
})

void test('a route may say that it is not compressed, and one alone that it is', { timeout: PATIENCE }, async (t) => {
  const on = await gatewayBefore(t, rows, { config: { compression: true }, route: { compression: false } })
  const no = await (await on.gateway.client('h1')).request({ path: '/', fields: [ALL] })
  t.equal(no.get('content-encoding'), undefined)
  t.equal(no.get('vary'), undefined)
  const off = await gatewayBefore(t, rows, { route: { compression: { codings: ['gzip'] } } })
  const yes = await (await off.gateway.client('h1')).request({ path: '/', fields: [ALL] })
  t.equal(yes.get('content-encoding'), 'gzip')
})

void test('the gateway’s own pages are compressed where all routes are', { timeout: PATIENCE }, async (t) => {
  const { gateway } = await gatewayBefore(t, rows, { config: { compression: true } })
  const client = await gateway.client('h1')
  const coded = await client.request({ path: '/openapi.json', fields: [ALL] })
  t.equal(coded.get('content-encoding'), 'zstd')
  const plain = await client.request({ path: '/openapi.json' })
  t.equal(decoded(coded), plain.body.toString())
})
