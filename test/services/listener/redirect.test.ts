import { test } from 'tap'
import { redirectToHttps } from '../../../services/listener/redirect.ts'
import { connectClient } from '../../client.ts'
import { connectRaw } from '../../raw-client.ts'
import { startListener } from './start.ts'

void test('every request is sent to the same host and path over https, on both protocols', async (t) => {
  let httpsPort = 8443
  const handlers = { ...redirectToHttps(() => httpsPort), broke: () => false }
  const { port } = await startListener(t, { options: { h2c: true }, context: { handlers } })
  for (const protocol of ['h1', 'h2c'] as const) {
    httpsPort = 8443
    const client = await connectClient(t, { cleartext: port, tls: 0 }, protocol)
    const path = '/a/./b%2Fc?d=e&f'
    const response = await client.request({ path, authority: 'Example.test:8080', method: 'POST', body: 'x' })
    t.equal(response.status, 308)
    t.equal(response.get('location'), 'https://example.test:8443/a/b%2Fc?d=e&f')
    httpsPort = 443
    t.equal((await client.request({ path: '/', authority: 'a.test' })).get('location'), 'https://a.test/')
  }
})

void test('an absolute target names its own host', async (t) => {
  const { port } = await startListener(t, {
    context: { handlers: { ...redirectToHttps(() => 443), broke: () => false } },
  })
  const raw = await connectRaw(t, { port })
  const response = await raw.exchange('GET http://b.test HTTP/1.1\r\nHost: a.test\r\n\r\n')
  t.equal(response.get('location'), 'https://b.test/')
})

void test('a request without one sound host, or without a path, is 400', async (t) => {
  const { port } = await startListener(t, {
    context: { handlers: { ...redirectToHttps(() => 443), broke: () => false } },
  })
  for (const request of [
    'GET / HTTP/1.1\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a@b\r\n\r\n',
    'GET /../x HTTP/1.1\r\nHost: a\r\n\r\n',
    'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n',
  ]) {
    const raw = await connectRaw(t, { port })
    t.equal((await raw.exchange(request)).status, 400, JSON.stringify(request))
  }
})
