import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect, type PeerCertificate } from 'node:tls'
import { generate } from 'selfsigned'
import { test, type Test } from 'tap'
import { developmentCertificate } from '../../../services/listener/certificate.ts'
import { certificateWarnings, createTicketKeys, loadCertificate } from '../../../services/listener/tls.ts'
import { connectRaw } from '../../raw-client.ts'
import { startListener } from './start.ts'

interface Pair {
  cert: string
  key: string
  servername: string | null
}

async function pair(directory: string, name: string, names: string[] = [name]): Promise<Pair> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [{ name: 'subjectAltName', altNames: names.map((value) => ({ type: 2, value })) }],
  })
  mkdirSync(directory, { recursive: true })
  const files = { cert: join(directory, `${name}.crt`), key: join(directory, `${name}.key`), servername: null }
  writeFileSync(files.cert, cert)
  writeFileSync(files.key, key)
  return files
}

/** The common name of the certificate that a client is shown. */
function shown(t: Test, port: number, servername?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...(servername && { servername }) })
    t.teardown(() => socket.destroy())
    socket.once('secureConnect', () => resolve(String((socket.getPeerCertificate() as PeerCertificate).subject.CN)))
    socket.once('error', reject)
  })
}

void test('the name that a client asks for chooses the certificate; the first serves all other names', async (t) => {
  const directory = t.testdir()
  const tls = [
    await pair(directory, 'first.test'),
    await pair(directory, 'second.test', ['second.test', 'other.test']),
    await pair(directory, 'wild', ['*.wild.test']),
    { ...(await pair(directory, 'named')), servername: 'by-option.test' },
  ]
  const { port } = await startListener(t, { options: { tls } })
  t.equal(await shown(t, port, 'second.test'), 'second.test')
  t.equal(await shown(t, port, 'OTHER.test'), 'second.test', 'names compare without case')
  t.equal(await shown(t, port, 'a.wild.test'), 'wild')
  t.equal(await shown(t, port, 'a.b.wild.test'), 'first.test', 'a wildcard stands for one label')
  t.equal(await shown(t, port, 'wild.test'), 'first.test')
  t.equal(await shown(t, port, 'by-option.test'), 'named')
  t.equal(await shown(t, port, 'unknown.test'), 'first.test')
  t.equal(await shown(t, port), 'first.test', 'no name')
})

void test('reload brings new certificates to new handshakes; a broken file leaves the old ones', async (t) => {
  const directory = t.testdir()
  const files = await pair(directory, 'old.test')
  const { port, listener } = await startListener(t, { options: { tls: [files] } })
  t.equal(await shown(t, port), 'old.test')
  const fresh = await pair(directory, 'new.test')
  for (const kind of ['cert', 'key'] as const) writeFileSync(files[kind], readFileSync(fresh[kind]))
  ;(await listener.renew())()
  t.equal(await shown(t, port), 'new.test')
  t.equal(await shown(t, port, 'new.test'), 'new.test')
  writeFileSync(files.cert, 'garbage')
  await t.rejects(listener.renew(), { code: 'HR_TLS_CERTIFICATE_INVALID' })
  t.equal(await shown(t, port), 'new.test')
})

void test('files that cannot serve are named, with what they must be', async (t) => {
  const directory = t.testdir()
  const one = await pair(directory, 'one')
  const other = await pair(directory, 'other')
  const garbage = join(directory, 'garbage.pem')
  writeFileSync(garbage, 'garbage')
  await t.rejects(loadCertificate({ ...one, key: other.key }), { code: 'HR_TLS_KEY_MISMATCH', message: /other\.key/ })
  await t.rejects(loadCertificate({ ...one, cert: join(directory, 'none.crt') }), {
    code: 'HR_TLS_FILE_UNREADABLE',
    message: /certificate .*none\.crt: ENOENT/,
  })
  await t.rejects(loadCertificate({ ...one, key: garbage }), { code: 'HR_TLS_KEY_INVALID' })
  await t.rejects(loadCertificate({ ...one, cert: garbage }), { code: 'HR_TLS_CERTIFICATE_INVALID' })
})

void test('a certificate that has expired, or soon will, is warned of', async (t) => {
  const certificate = await loadCertificate(await pair(t.testdir(), 'one'))
  const day = 86_400_000
  t.same(certificateWarnings([certificate], certificate.expiresAt - 30 * day), [])
  t.match(certificateWarnings([certificate], certificate.expiresAt - day), [{ code: 'HR_TLS_EXPIRES_SOON' }])
  t.match(certificateWarnings([certificate], certificate.expiresAt), [{ code: 'HR_TLS_EXPIRED' }])
})

void test('the development certificate is made once, kept private, and renewed when it is old or broken', async (t) => {
  const dataDir = join(t.testdir(), '.headrace')
  const made = await developmentCertificate(dataDir)
  const first = readFileSync(made.cert, 'utf8')
  t.equal(statSync(dataDir).mode & 0o777, 0o700)
  t.equal(statSync(made.key).mode & 0o777, 0o600)
  t.notMatch(readFileSync(made.public, 'utf8'), /PRIVATE KEY/)
  t.same((await loadCertificate(made)).names, ['localhost', '*.localhost', '127.0.0.1', '0:0:0:0:0:0:0:1'])
  await developmentCertificate(dataDir)
  t.equal(readFileSync(made.cert, 'utf8'), first, 'kept')
  await developmentCertificate(dataDir, made.expiresAt - 86_400_000)
  const second = readFileSync(made.cert, 'utf8')
  t.not(second, first, 'renewed a day before its end')
  writeFileSync(made.cert, second.slice(0, 300))
  await developmentCertificate(dataDir)
  t.not(readFileSync(made.cert, 'utf8'), second.slice(0, 300), 'made anew')
  await loadCertificate(made)
})

/** Connects, and waits for a session to come back with. */
function begin(t: Test, port: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, servername: 'a.test' })
    t.teardown(() => socket.destroy())
    socket.once('session', resolve)
    socket.once('error', reject)
  })
}

/** Comes back with a session. @returns whether it was taken */
function resume(t: Test, port: number, session: Buffer): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, servername: 'a.test', session })
    t.teardown(() => socket.destroy())
    socket.once('secureConnect', () => resolve(socket.isSessionReused()))
    socket.once('error', reject)
  })
}

void test('a session goes on at another listener with the same ticket keys, also after new certificates', async (t) => {
  const directory = t.testdir()
  const tls = [await pair(directory, 'first.test'), await pair(directory, 'a.test')]
  const ticketKeys = createTicketKeys()
  const start = (keys?: Buffer) => startListener(t, { options: { tls }, context: { ticketKeys: keys } })
  const [one, other, stranger] = [await start(ticketKeys), await start(ticketKeys), await start()]
  const session = await begin(t, one.port)
  t.ok(await resume(t, one.port, session))
  t.ok(await resume(t, other.port, session))
  t.notOk(await resume(t, stranger.port, session), 'with keys of its own')
  ;(await other.listener.renew())()
  t.ok(await resume(t, other.port, session), 'with its certificates read again')
})

void test('a session from before other issuers of clients is none, at any listener with the same ticket keys', async (t) => {
  const directory = t.testdir()
  const [tls, issuer, next] = [
    [await pair(directory, 'first.test'), await pair(directory, 'a.test')],
    await pair(directory, 'issuer'),
    await pair(directory, 'next'),
  ]
  const ticketKeys = createTicketKeys()
  const start = (ca?: string) =>
    startListener(t, {
      options: { tls, ...(ca !== undefined && { clientCertificates: { ca, mode: 'request' } }) },
      context: { ticketKeys },
    })
  const [one, same, other, open] = [
    await start(issuer.cert),
    await start(issuer.cert),
    await start(next.cert),
    await start(),
  ]
  const session = await begin(t, one.port)
  t.ok(await resume(t, same.port, session))
  t.notOk(await resume(t, other.port, session), 'one that asks for certificates of others')
  t.notOk(await resume(t, one.port, await begin(t, open.port)), 'from one that asks for none')
  ;(await one.listener.renew())()
  t.ok(await resume(t, one.port, session), 'the same, read again')
  writeFileSync(issuer.cert, readFileSync(next.cert))
  ;(await one.listener.renew())()
  t.notOk(await resume(t, one.port, session))
  t.ok(await resume(t, other.port, await begin(t, one.port)))
})

void test('HTTP in the clear is told to speak TLS, and its connection closed', async (t) => {
  const { port, listener } = await startListener(t, { options: { tls: [await pair(t.testdir(), 'a.test')] } })
  for (const request of ['GET / HTTP/1.1\r\nHost: a\r\n\r\n', `POST / HTTP/1.1\r\nHost: a\r\n\r\n${'x'.repeat(1e6)}`]) {
    const raw = await connectRaw(t, { port })
    const response = await raw.exchange(request)
    t.equal(response.status, 400)
    t.match(JSON.parse(String(response.body)), { code: 'HR_REQUEST_TLS_EXPECTED', detail: /https:\/\// })
    await raw.ended()
  }
  const other = await connectRaw(t, { port })
  void other.send('neither HTTP nor TLS')
  await other.ended()
  t.equal(other.unasked().length, 0)
  t.equal(listener.counters.tlsFailed, 3)
  t.equal(listener.open().connections, 0)
})
