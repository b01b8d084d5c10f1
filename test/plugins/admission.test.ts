import { createServer, request as send } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyInstance } from 'fastify'
import { test, type Test } from 'tap'
import { resolveConfig } from '../../config/resolve.ts'
import admission from '../../plugins/admission.ts'
import errors from '../../plugins/errors.ts'
import { createLane } from '../../services/lane/create-lane.ts'
import { Upstreams } from '../../services/upstream/upstreams.ts'
import { connectRaw } from '../raw-client.ts'

interface Admitting {
  app: FastifyInstance
  /** What was told of as finished: status, path. */
  finished: string[]
  port: number
}

/** A bare Fastify that listens by itself, with the plugin and without routes to upstreams. */
async function admitting(t: Test, extend: (app: FastifyInstance) => unknown): Promise<Admitting> {
  const config = resolveConfig({}, { root: t.testdir() })
  const upstreams = new Upstreams([])
  const finished: string[] = []
  const lane = createLane({
    ...config,
    routes: [],
    upstreams,
    traffic: null,
    limits: { bodyBytes: 1_000, sendTimeoutMs: 0 },
    serverTiming: false,
    own: { find: () => 'own' },
    ownGuard: () => '',
    finished: [(exchange) => void finished.push(`${exchange.status} ${exchange.path}`)],
    internalErrors: { record: (error) => t.fail('the gateway itself has failed', { error }) },
  })
  const app = Fastify({
    serverFactory: (handler) => createServer({ requireHostHeader: false }, handler),
    forceCloseConnections: true,
  })
  t.teardown(async () => {
    await app.close()
    await upstreams.close()
  })
  await app.register(errors)
  await app.register(admission, { lane })
  await extend(app)
  await app.listen({ port: 0, host: '127.0.0.1' })
  return { app, finished, port: (app.server.address() as AddressInfo).port }
}

void test('each request has its exchange and its id, and is finished once', async (t) => {
  const ids: string[] = []
  const { app, finished, port } = await admitting(t, (fastify) => {
    fastify.get('/a', async (request) => {
      ids.push(request.id)
      return `${request.exchange.path} ${request.exchange.clientAddress} ${request.exchange.host}`
    })
  })
  const raw = await connectRaw(t, { port })
  const response = await raw.exchange('GET /a?b HTTP/1.1\r\nHost: Gateway.test\r\n\r\n')
  t.equal(response.body.toString(), '/a 127.0.0.1 gateway.test')
  t.equal(response.get('x-request-id'), ids[0])
  const injected = await app.inject({ url: '/a', headers: { host: 'b.test' } })
  t.equal(injected.headers['x-request-id'], ids[1])
  t.equal(new Set(ids).size, 2)
  t.strictSame(finished, ['200 /a', '200 /a'])
})

void test('what the lane would refuse is refused before any later hook, and its connection closed', async (t) => {
  const seen: string[] = []
  const { finished, port } = await admitting(t, (fastify) => {
    fastify.addHook('onRequest', async (request) => void seen.push(request.url))
    fastify.get('/a', async () => 'reached')
  })
  const bad = [
    'GET /a HTTP/1.1\r\n\r\n',
    'GET /a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
    'GET /a%00 HTTP/1.1\r\nHost: a\r\n\r\n',
    'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n',
  ]
  for (const bytes of bad) {
    const raw = await connectRaw(t, { port })
    const response = await raw.exchange(bytes)
    t.ok(response.status === 400 || response.status === 413, bytes)
    t.match(JSON.parse(response.body.toString()), { code: /^HR_REQUEST_/, requestId: response.get('x-request-id') })
    t.equal(response.get('connection'), 'close')
    await raw.ended()
  }
  t.strictSame(seen, [])
  t.equal(finished.length, bad.length)
})

void test('a path that no route takes is finished as 404', async (t) => {
  const { finished, port } = await admitting(t, () => undefined)
  const sent = send({ port, host: '127.0.0.1', path: '/none', agent: false }).end()
  const [response] = await once(sent, 'response')
  response.resume()
  t.equal(response.statusCode, 404)
  await once(response, 'end')
  t.strictSame(finished, ['404 /none'])
})

void test('a client that leaves before the answer of a page is booked as gone', async (t) => {
  const reached = Promise.withResolvers<void>()
  const left = Promise.withResolvers<void>()
  const { finished, port } = await admitting(t, (fastify) => {
    fastify.addHook('onRequestAbort', (_request, done) => {
      left.resolve()
      done()
    })
    fastify.get('/slow', async (_request, reply) => {
      reached.resolve()
      await left.promise
      return reply.send('nobody hears this')
    })
  })
  const raw = await connectRaw(t, { port })
  await raw.send('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n')
  await reached.promise
  raw.reset()
  await left.promise
  t.strictSame(finished, ['499 /slow'])
})
