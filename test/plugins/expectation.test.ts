import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyInstance } from 'fastify'
import { test, type Test } from 'tap'
import expectation from '../../plugins/expectation.ts'
import { connectRaw, type RawConnection } from '../raw-client.ts'

/** A bare Fastify behind a server that, like the gateway's listeners, leaves 100 Continue to others. */
async function expecting(t: Test, extend: (app: FastifyInstance) => unknown): Promise<() => Promise<RawConnection>> {
  const app = Fastify({
    serverFactory: (handler) => createServer(handler).on('checkContinue', handler),
    forceCloseConnections: true,
  })
  t.teardown(() => app.close())
  await app.register(expectation)
  await extend(app)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  return () => connectRaw(t, { port })
}

const request = (start: string): string =>
  `${start}\r\nHost: a\r\nExpect: 100-continue\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\n`

void test('a route that reads its body asks for it; one that does not, and one that refuses, do not', async (t) => {
  const open = await expecting(t, (app) => {
    app.post('/', async ({ body }) => body)
    app.get('/', async () => 'a page')
    app.post('/proxied', { config: { proxied: true } }, async () => 'its upstream asks')
    const refuse = async (_request: unknown, reply: { code(status: number): { send(): unknown } }) =>
      reply.code(401).send()
    app.post('/guarded', { onRequest: refuse }, async () => 'never')
  })
  const raw = await open()
  const answer = raw.expect('POST')
  await raw.send(request('POST / HTTP/1.1'))
  t.equal((await answer.interim()).status, 100)
  await raw.send('body')
  t.equal((await answer.whole()).body.toString(), 'body')
  for (const [start, status] of [
    ['GET / HTTP/1.1', 200],
    ['POST /guarded HTTP/1.1', 401],
  ] as const) {
    const other = await open()
    const response = other.expect(start.slice(0, start.indexOf(' ')))
    await other.send(request(start))
    t.equal((await response.head()).status, status, start)
    t.strictSame(response.informational, [], start)
  }
  const proxied = await open()
  const response = proxied.expect('POST')
  await proxied.send(request('POST /proxied HTTP/1.1') + 'body')
  t.strictSame((await response.whole()).informational, [])
})
