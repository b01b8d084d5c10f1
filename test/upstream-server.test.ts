import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { once } from 'node:events'
import { test } from 'tap'
import { startUpstream, type Upstream } from './upstream-server.ts'

function send(upstream: Upstream, agent: Agent, method = 'GET', body?: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ port: upstream.port, host: '127.0.0.1', method, path: '/x', agent }, resolve)
    request.on('error', reject)
    request.end(body)
  })
}

async function text(response: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of response) body += String(chunk)
  return body
}

void test('the upstream plays one script a request and writes down what it got', async (t) => {
  const upstream = await startUpstream(t, [
    (exchange) => exchange.respond(201, [['X-A', '1']], 'first'),
    async (exchange) => {
      await exchange.body()
      await exchange.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n')
      await exchange.drip('3\r\nabc\r\n')
      await exchange.lastChunk([['X-T', 'done']])
    },
  ])
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  const first = await send(upstream, agent, 'POST', 'hello')
  t.equal(first.statusCode, 201)
  t.equal(await text(first), 'first')
  const second = await send(upstream, agent)
  t.equal(await text(second), 'abc')
  t.equal(second.trailers['x-t'], 'done')
  t.equal(upstream.requests[0]?.body.toString(), 'hello')
  t.equal(upstream.requests[0]?.get('content-length'), '5')
  t.equal(upstream.requests[1]?.connection, 0, 'the connection was reused')
  t.match(upstream.connections[0]?.bytes().toString(), /^POST \/x HTTP\/1\.1\r\n[^]*helloGET \/x HTTP\/1\.1\r\n/)
})

void test('a reset, a lie about the length and garbage reach the client as what they are', async (t) => {
  const upstream = await startUpstream(t, [
    (exchange) => exchange.reset(),
    (exchange) => exchange.lieAboutLength(10, 'abc'),
    (exchange) => exchange.garbage(),
  ])
  const agent = new Agent()
  await t.rejects(send(upstream, agent), { code: 'ECONNRESET' })
  await t.rejects(text(await send(upstream, agent)), { code: 'ECONNRESET' })
  await t.rejects(send(upstream, agent), { code: 'HPE_INVALID_CONSTANT' })
})

void test('a stalled script learns that the client has left, and the test how', async (t) => {
  const upstream = await startUpstream(t, (exchange) => exchange.stall())
  const socket = connect(upstream.port, '127.0.0.1')
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await upstream.received(1)
  socket.resetAndDestroy()
  t.equal(await upstream.closed(0), 'reset')
})

void test('an upstream over TLS answers', async (t) => {
  const upstream = await startUpstream(t, (exchange) => exchange.respond(), { tls: true })
  const { connect: connectTls } = await import('node:tls')
  const socket = connectTls({ port: upstream.port, host: '127.0.0.1', rejectUnauthorized: false })
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  const [chunk] = (await once(socket, 'data')) as [Buffer]
  t.match(chunk.toString(), /^HTTP\/1\.1 200 /)
  socket.destroy()
})
