import { once } from 'node:events'
import { get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PassThrough } from 'node:stream'
import { createBrotliDecompress, createGunzip, createZstdDecompress } from 'node:zlib'
import Fastify, { type FastifyInstance } from 'fastify'
import { test, type Test } from 'tap'
import compression, { type CompressionPluginOptions } from '../../plugins/compression.ts'
import { decoded } from '../decode.ts'

const ROWS = Array.from({ length: 200 }, (_, id) => ({ id, name: `vehicle ${id}` }))
const TEXT = JSON.stringify(ROWS)

async function build(t: Test, options: CompressionPluginOptions = {}): Promise<FastifyInstance> {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(async (scope) => {
    await scope.register(compression, options)
    scope.get('/rows', async (_request, reply) =>
      reply.header('etag', '"v1"').header('accept-ranges', 'bytes').send(ROWS),
    )
    scope.get('/large', async (_request, reply) => reply.type('text/plain').send(TEXT.repeat(50)))
    scope.get('/small', async () => ({ ok: true }))
    scope.get('/fixed', async (_request, reply) => reply.header('cache-control', 'no-transform').send(ROWS))
    scope.get('/image', async (_request, reply) => reply.type('image/png').send(Buffer.alloc(5000)))
    scope.get('/coded', async (_request, reply) =>
      reply.type('text/plain').header('content-encoding', 'x-own').header('etag', '"c"').send('x'.repeat(5000)),
    )
    scope.get('/same', async (_request, reply) => reply.code(304).header('etag', '"v1"').send())
    scope.get('/part', async (_request, reply) =>
      reply.code(206).type('text/plain').header('content-range', 'bytes 0-1999/5000').send('x'.repeat(2000)),
    )
    scope.get('/origin', async (_request, reply) => reply.header('vary', 'Origin').send(ROWS))
    scope.get('/off', { compress: false }, async () => ROWS)
    scope.get('/own', { compress: { encodings: ['gzip'] } }, async () => ROWS)
    scope.post('/echo', async (request) => ({ match: request.headers['if-match'], body: request.body }))
  })
  app.get('/outside', async () => ROWS)
  return app
}

const ask = async (app: FastifyInstance, url: string, headers: Record<string, string> = {}, method = 'GET') => {
  const response = await app.inject({
    method: method as 'GET',
    url,
    headers: { 'accept-encoding': 'gzip, br, zstd', ...headers },
  })
  return {
    status: response.statusCode,
    body: response.rawPayload,
    get: (name: string) => response.headers[name] as string | undefined,
  }
}

void test('answers of the scope are compressed as the client likes it, and say so to caches', async (t) => {
  const app = await build(t)
  for (const coding of ['zstd', 'br', 'gzip']) {
    const response = await ask(app, '/rows', { 'accept-encoding': `${coding}, *;q=0.1` })
    t.equal(response.get('content-encoding'), coding)
    t.equal(response.get('etag'), 'W/"v1"')
    t.match(response.get('vary'), /^accept-encoding$/i)
    t.equal(response.get('accept-ranges'), undefined)
    t.equal(response.get('content-length'), String(response.body.length))
    t.equal(decoded(response), TEXT)
    const large = await ask(app, '/large', { 'accept-encoding': coding })
    t.equal(large.get('content-encoding'), coding)
    t.equal(decoded(large), TEXT.repeat(50))
  }
  t.equal((await ask(app, '/rows')).get('content-encoding'), 'zstd', 'our preference')
  t.equal((await ask(app, '/rows', { 'accept-encoding': 'br;q=0.1, gzip;q=0.2' })).get('content-encoding'), 'gzip')
  t.equal((await ask(app, '/outside')).get('content-encoding'), undefined, 'nothing outside of it')
})

void test('Vary is there where nothing is coded, too', async (t) => {
  const app = await build(t)
  const plain = await ask(app, '/rows', { 'accept-encoding': 'identity' })
  t.equal(plain.get('content-encoding'), undefined)
  t.equal(plain.get('etag'), '"v1"')
  t.equal(plain.get('vary'), 'Accept-Encoding')
  t.equal(plain.get('accept-ranges'), 'bytes')
  t.equal((await ask(app, '/small')).get('vary'), 'Accept-Encoding')
  t.match((await ask(app, '/origin')).get('vary'), /^Origin, accept-encoding$/i)
  t.equal((await ask(app, '/image')).get('vary'), undefined)
  t.equal((await ask(app, '/off')).get('vary'), undefined)
})

void test('HEAD, 206, 304, no-transform and what is coded already are left alone', async (t) => {
  const app = await build(t)
  const head = await ask(app, '/rows', {}, 'HEAD')
  t.equal(head.get('content-length'), String(TEXT.length))
  t.equal(head.get('content-encoding'), undefined)
  t.equal(head.get('vary'), 'Accept-Encoding')
  const same = await ask(app, '/same', { 'if-none-match': 'W/"v1"' })
  t.equal(same.status, 304)
  t.equal(same.get('content-encoding'), undefined)
  t.equal(same.get('etag'), 'W/"v1"')
  t.equal(same.get('vary'), 'Accept-Encoding')
  const part = await ask(app, '/part')
  t.equal(part.get('content-encoding'), undefined)
  t.equal(part.body.length, 2000)
  const fixed = await ask(app, '/fixed')
  t.equal(fixed.get('content-encoding'), undefined)
  t.equal(fixed.get('vary'), undefined)
  const wanted = await ask(app, '/rows', { 'cache-control': 'no-transform' })
  t.equal(wanted.get('content-encoding'), undefined)
  t.equal(wanted.get('vary'), 'Accept-Encoding', 'others get another')
  const coded = await ask(app, '/coded')
  t.equal(coded.get('content-encoding'), 'x-own')
  t.equal(coded.get('etag'), '"c"')
})

void test('a route may choose for itself', async (t) => {
  const app = await build(t)
  t.equal((await ask(app, '/off')).get('content-encoding'), undefined)
  const own = await ask(app, '/own', { 'accept-encoding': 'gzip' })
  t.equal(own.get('content-encoding'), 'gzip')
  t.equal(decoded(own), TEXT)
})

void test('request bodies are left to the application, and If-Match means what it meant', async (t) => {
  const app = await build(t)
  const response = await app.inject({
    method: 'POST',
    url: '/echo',
    headers: { 'if-match': 'W/"v1"', 'content-type': 'text/plain', 'content-encoding': 'gzip' },
    payload: 'no gzip',
  })
  t.same(response.json(), { match: '"v1"', body: 'no gzip' })
})

void test('each piece of a stream comes out before the next goes in', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(compression, {})
  const source = { current: new PassThrough() }
  app.get('/stream', async (_request, reply) => reply.type('text/plain').send(source.current))
  await app.listen({ port: 0 })
  const { port } = app.server.address() as AddressInfo
  const decoders = { zstd: createZstdDecompress, br: createBrotliDecompress, gzip: createGunzip }
  for (const [coding, createDecoder] of Object.entries(decoders)) {
    source.current = new PassThrough()
    const request = get({ port, path: '/stream', headers: { 'accept-encoding': coding } })
    source.current.write('first')
    const [response] = await once(request, 'response')
    t.equal(response.headers['content-encoding'], coding)
    const decoder = response.pipe(createDecoder())
    t.equal(String((await once(decoder, 'data'))[0]), 'first')
    source.current.write('second')
    t.equal(String((await once(decoder, 'data'))[0]), 'second')
    source.current.end()
    decoder.resume()
    await once(decoder, 'end')
  }
})

void test('options that make no sense stop the registration', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await t.rejects(async () => app.register(compression, { codings: [] }), { code: 'HR_COMPRESSION_OPTION' })
})
