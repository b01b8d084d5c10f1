import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Fastify from 'fastify'
import { test } from 'tap'
import emptyBody from '../../plugins/empty-body.ts'
import { connectRaw } from '../raw-client.ts'

void test('who says of what kind the body is, and sends none, is answered', async (t) => {
  // As the gateway's listeners are.
  const app = Fastify({
    serverFactory: (handler) => createServer({ optimizeEmptyRequests: true }, handler),
    forceCloseConnections: true,
  })
  t.teardown(() => app.close())
  await app.register(emptyBody)
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    async (_: unknown, body: string) => ({
      form: body,
    }),
  )
  app.route({ method: ['POST', 'DELETE'], url: '/', handler: async ({ body }) => ({ body }) })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const ask = async (start: string, further: string): Promise<[number, string]> => {
    const raw = await connectRaw(t, { port })
    const answer = await raw.exchange(`${start} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${further}\r\n`)
    return [answer.status, answer.body.toString()]
  }
  for (const method of ['POST', 'DELETE']) {
    t.match(await ask(`${method} /`, 'Content-Type: application/json\r\n'), [400, /FST_ERR_CTP_EMPTY_JSON_BODY/])
    t.strictSame(await ask(`${method} /`, 'Content-Type: application/x-www-form-urlencoded\r\n'), [
      200,
      '{"body":{"form":""}}',
    ])
    t.strictSame(await ask(`${method} /`, ''), [200, '{}'])
  }
})
