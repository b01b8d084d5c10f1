import { connect as connectH2 } from 'node:http2'
import { dirname } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { test, type Test } from 'tap'
import { createIssuer, type IssuedCertificate, type Issuer } from '../../client-certificates.ts'
import { writeCertificate } from '../../certificate.ts'
import { type Gateway, PATIENCE, startGateway, TIMEOUTS } from '../../helper.ts'
import { startUpstream } from '../../upstream-server.ts'

/** A gateway that asks clients for certificates, and tells them who they are. */
async function asksForCertificates(t: Test, mode: 'request' | 'require', issuer: Issuer): Promise<Gateway> {
  const upstream = await startUpstream(t, (exchange) =>
    exchange.respond(200, [], exchange.request.get('x-consumer-id') ?? 'nobody'),
  )
  const tls = await writeCertificate(dirname(issuer.file))
  return await startGateway(t, {
    listen: [
      { port: 0 },
      { port: 0, tls: { ...tls, servername: 'gateway.test' }, clientCertificates: { ca: issuer.file, mode } },
    ],
    access: {
      consumers: {
        billing: { certificates: [{ san: 'URI:spiffe://acme/billing', subject: 'O=Acme,CN=billing' }] },
      },
    },
    upstreams: { origin: { targets: [upstream.origin], timeout: TIMEOUTS } },
    routes: { '/*': { to: 'origin', access: ['mtls'] }, '/open/*': { to: 'origin', access: ['mtls', 'anonymous'] } },
  })
}

type Shown = Partial<IssuedCertificate> & { session?: Buffer; servername?: string }

/** One request over HTTP/1.1. @returns status and body, and the session to come back with; the error of one that is refused */
async function ask(
  port: number,
  path: string,
  shown: Shown,
): Promise<{ text: string; resumed: boolean; session: Buffer | undefined }> {
  const socket: TLSSocket = connect({
    port,
    host: '127.0.0.1',
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1'],
    ...shown,
  })
  let session: Buffer | undefined
  let resumed = false
  socket.on('secureConnect', () => {
    resumed = socket.isSessionReused()
  })
  socket.on('session', (given) => {
    session = given
  })
  const chunks: Buffer[] = []
  return await new Promise((resolve) => {
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('error', (error: NodeJS.ErrnoException) =>
      resolve({ text: error.code ?? 'error', resumed: false, session }),
    )
    socket.on('close', () => {
      const text = Buffer.concat(chunks).toString()
      resolve({
        text: `${text.slice(9, 12)} ${text.split('\r\n\r\n')[1] ?? ''}`,
        resumed,
        session,
      })
    })
    socket.write(`GET ${path} HTTP/1.1\r\nHost: gateway.test\r\nConnection: close\r\n\r\n`)
  })
}

void test('a certificate says who calls, by SNI or without, and on a session that is resumed', {
  timeout: PATIENCE,
}, async (t) => {
  const issuer = await createIssuer(t)
  const { ports } = await asksForCertificates(t, 'request', issuer)
  const billing = await issuer.issue('billing')
  const first = await ask(ports.tls, '/a', billing)
  t.equal(first.text, '200 billing')
  t.equal((await ask(ports.tls, '/a', { ...billing, servername: 'gateway.test' })).text, '200 billing')
  const again = await ask(ports.tls, '/a', { ...billing, ...(first.session && { session: first.session }) })
  t.equal(again.text, '200 billing')
  t.equal(again.resumed, true)
})

void test('no certificate, one of nobody, and one that others have issued get nowhere', {
  timeout: PATIENCE,
}, async (t) => {
  const issuer = await createIssuer(t)
  const { ports } = await asksForCertificates(t, 'request', issuer)
  const stranger = await createIssuer(t, 'stranger')
  t.match((await ask(ports.tls, '/a', {})).text, /^401 .*HR_ACCESS_REQUIRED/)
  t.match((await ask(ports.tls, '/a', await issuer.issue('audit'))).text, /^401 .*HR_ACCESS_INVALID/)
  const forged = await stranger.issue('billing')
  for (const path of ['/a', '/open/a']) t.match((await ask(ports.tls, path, forged)).text, /^401 .*HR_ACCESS_INVALID/)
  t.equal((await ask(ports.tls, '/open/a', {})).text, '200 nobody')
})

void test('where one is required, there is no connection without it', { timeout: PATIENCE }, async (t) => {
  const issuer = await createIssuer(t)
  const { ports } = await asksForCertificates(t, 'require', issuer)
  t.notMatch((await ask(ports.tls, '/open/a', {})).text, /^200/)
  t.equal((await ask(ports.tls, '/a', await issuer.issue('billing'))).text, '200 billing')
})

void test('the same over HTTP/2', { timeout: PATIENCE }, async (t) => {
  const issuer = await createIssuer(t)
  const { ports } = await asksForCertificates(t, 'request', issuer)
  const session = connectH2(`https://127.0.0.1:${ports.tls}`, {
    rejectUnauthorized: false,
    ...(await issuer.issue('billing')),
  })
  t.teardown(() => session.destroy())
  const stream = session.request({ ':path': '/a' })
  stream.setEncoding('utf8')
  let text = ''
  for await (const chunk of stream) text += String(chunk)
  t.equal(text, 'billing')
})
