import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createH2c, type Http2Server } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { test, type Test } from 'tap'
import { connectClient, PROTOCOLS } from './client.ts'
import { connectRaw } from './raw-client.ts'
import { connectRawH2, data, headers, requestFields } from './raw-h2.ts'

/** Node's own server as a peer: what it does right, the clients must see. */
const listener: RequestListener = (request, response) => {
  if (request.url === '/break') {
    response.writeHead(200, { 'content-length': '10' })
    response.write('abc', () => response.destroy())
  } else if (request.url === '/hints') {
    response.writeEarlyHints({ link: '</a.css>; rel=preload' })
    response.end('hinted')
  } else {
    response.writeHead(200, { 'x-method': request.method, ...(request.method === 'POST' && { trailer: 'x-t' }) })
    request.on('data', (chunk: Buffer) => response.write(chunk))
    request.on('end', () => {
      if (request.method === 'POST') response.addTrailers({ 'x-t': 'done' })
      response.end()
    })
  }
}

async function listen(t: Test, server: Server | Http2Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}

for (const protocol of PROTOCOLS.filter((name) => name === 'h1' || name === 'h2c')) {
  void test(`a client over ${protocol} sees heads, bodies, trailers, hints and broken ends`, async (t) => {
    const server = protocol === 'h1' ? createServer(listener) : createH2c(listener as unknown as () => void)
    const port = await listen(t, server)
    const client = await connectClient(t, { cleartext: port, tls: port }, protocol)

    const echo = await client.open({ method: 'POST', path: '/', streamBody: true })
    await echo.write('ab')
    t.equal((await echo.response.head()).get('x-method'), 'POST', 'the head comes before the body has ended')
    t.equal((await echo.response.chunk())?.toString(), 'ab')
    await echo.write('cd')
    echo.end()
    const whole = await echo.response.whole()
    t.equal(whole.body.toString(), 'abcd')
    t.same(whole.trailers, [['x-t', 'done']])

    const hinted = await client.request({ path: '/hints' })
    t.equal(hinted.informational[0]?.status, 103)
    t.equal(hinted.informational[0]?.get('link'), '</a.css>; rel=preload')
    t.equal(hinted.body.toString(), 'hinted')

    await t.rejects(client.request({ path: '/break' }), { name: 'BrokenResponse' })
  })
}

void test('a raw connection pipelines, and tells how it ended', async (t) => {
  const port = await listen(t, createServer(listener))
  const raw = await connectRaw(t, { port })
  const first = raw.expect('HEAD')
  const second = raw.expect()
  void raw.send('HEAD / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  t.equal((await first.whole()).body.length, 0)
  t.equal((await second.whole()).status, 200)
  t.same(await raw.ended(), { how: 'fin', broken: false })
})

void test('raw HTTP/2 frames are understood, and the outcome of malformed ones is seen', async (t) => {
  const port = await listen(t, createH2c(listener as unknown as () => void))
  const raw = await connectRawH2(t, { port })
  raw.send(headers(1, requestFields()))
  t.same(await raw.outcome(1), { status: 200 })
  raw.send(headers(3, requestFields([['connection', 'close']])))
  t.same(await raw.outcome(3), { reset: 1 })
  raw.send(headers(5, requestFields([['content-length', '3']], { ':method': 'POST' }), false), data(5, 'ab', true))
  t.equal(await raw.over(5), 'reset')
})
