import type { AddressInfo } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { test } from 'tap'
import { testCertificate } from '../../certificate.ts'
import { startH2Upstream } from '../../h2-upstream.ts'
import { gatewayBeforeOrigin, isProblem, PATIENCE, silentPort, TIMEOUTS } from '../../helper.ts'
import { REFUSING_ORIGIN, startUpstream } from '../../upstream-server.ts'

const SHORT = '50ms'
const code = (response: { body: Buffer }): string => (JSON.parse(response.body.toString()) as { code: string }).code

void test('a refused connection is answered 502', { timeout: PATIENCE }, async (t) => {
  const gateway = await gatewayBeforeOrigin(t, REFUSING_ORIGIN.replace('http:', 'https:'))
  const response = await (await gateway.client('h1')).request({ path: '/' })
  isProblem(t, response, 502)
  t.equal(code(response), 'HR_UPSTREAM_CONNECT')
})

void test('a certificate that does not verify is answered 502', { timeout: PATIENCE }, async (t) => {
  const upstream = await startH2Upstream(t, () => t.fail('nothing is sent'))
  const gateway = await gatewayBeforeOrigin(t, upstream.origin, { tls: { verify: true } })
  const response = await (await gateway.client('h1')).request({ path: '/' })
  isProblem(t, response, 502)
  t.equal(code(response), 'HR_UPSTREAM_CONNECT')
})

void test('an upstream that does not speak TLS is answered 502', { timeout: PATIENCE }, async (t) => {
  const upstream = await startUpstream(t, () => undefined, {
    connection: (socket) => socket.end('HTTP/1.1 400 No\r\n\r\n'),
    tolerant: true,
  })
  const gateway = await gatewayBeforeOrigin(t, upstream.origin.replace('http:', 'https:'))
  const response = await (await gateway.client('h1')).request({ path: '/' })
  isProblem(t, response, 502)
  t.equal(code(response), 'HR_UPSTREAM_CONNECT')
})

void test('an upstream that refuses every protocol offered by ALPN is answered 502', {
  timeout: PATIENCE,
}, async (t) => {
  const server = createTlsServer({ ...(await testCertificate()), ALPNProtocols: ['spdy/1'] }, (socket) => socket.end())
  server.on('tlsClientError', () => undefined) // the alert is the test
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const gateway = await gatewayBeforeOrigin(t, `https://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const response = await (await gateway.client('h1')).request({ path: '/' })
  isProblem(t, response, 502)
  t.equal(code(response), 'HR_UPSTREAM_CONNECT')
})

void test('a TLS handshake without an end is answered 504', { timeout: PATIENCE }, async (t) => {
  const gateway = await gatewayBeforeOrigin(t, `https://127.0.0.1:${await silentPort(t)}`, {
    timeout: { ...TIMEOUTS, connect: SHORT },
  })
  const response = await (await gateway.client('h1')).request({ path: '/' })
  isProblem(t, response, 504)
  t.equal(code(response), 'HR_UPSTREAM_CONNECT_TIMEOUT')
})

void test('an upstream that agrees on h2 and speaks something else is answered 502', {
  timeout: PATIENCE,
}, async (t) => {
  const server = createTlsServer({ ...(await testCertificate()), ALPNProtocols: ['h2'] }, (socket) => {
    socket.on('error', () => undefined) // the gateway hangs up
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const gateway = await gatewayBeforeOrigin(t, `https://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const response = await (await gateway.client('h1')).request({ path: '/' })
  isProblem(t, response, 502)
  t.equal(code(response), 'HR_UPSTREAM_INVALID_RESPONSE')
})
