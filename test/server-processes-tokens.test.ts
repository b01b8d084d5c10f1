import { test } from 'tap'
import { Seal } from '../services/access/oidc/seal.ts'
import type { Session } from '../services/access/oidc/session.ts'
import { clustered, PATIENCE_MS } from './clustered.ts'
import { httpServer } from './cli/running.ts'
import { connectRaw } from './raw-client.ts'
import { AUDIENCE, ISSUER, keySetOf, signerOf } from './tokens.ts'

void test('a revoked token and a rotated key are refused in every process at once', {
  timeout: PATIENCE_MS,
}, async (t) => {
  const [old, fresh] = await Promise.all([signerOf('ES256', 'old'), signerOf('ES256', 'fresh')])
  let keys = keySetOf(old)
  let reads = 0
  const origin = await httpServer(t, (_request, response) => {
    reads++
    response.end(keys)
  })
  const { running, port, pids } = await clustered(t, {
    access: { jwt: { main: { issuer: ISSUER, audience: AUDIENCE, jwks: { url: `${origin}/jwks` } } } },
    routes: { '/*': { to: 'origin', access: ['jwt:main'] } },
  })
  t.equal((await pids()).length, 2)
  const exp = Math.floor(Date.now() / 1000) + 3_600
  const iat = Math.floor(Date.now() / 1000) - 1
  const [one, other, third] = await Promise.all([
    old.sign({ exp, iat, sub: 'one' }),
    old.sign({ exp, iat, sub: 'other' }),
    fresh.sign({ exp, iat, sub: 'third' }),
  ])
  const statusOf = async (token: string): Promise<number> => {
    const raw = await connectRaw(t, { port: port('public') })
    const head = `GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\n\r\n`
    return (await raw.exchange(head)).status
  }
  /** Over so many connections that both processes have some. */
  const statuses = async (token: string): Promise<number[]> => {
    const all = await Promise.all(Array.from({ length: 16 }, () => statusOf(token)))
    return [...new Set(all)]
  }
  t.same(await statuses(one), [200])
  t.same(await statuses(other), [200])
  const now = Date.now()
  const list = [{ kind: 'subject' as const, name: 'one', at: now, until: now + 600_000 }]
  await running.control.tell('revoke', { from: null, list })
  t.same(await statuses(one), [401])
  t.same(await statuses(other), [200])

  // The other process gets to know of a new key from the one that has read it.
  keys = keySetOf(old, fresh)
  const before = reads
  t.same(await statuses(third), [200])
  t.equal(reads - before, 1)
  const strangers = Array.from({ length: 16 }, (_, index) => fresh.sign({ exp, iat }, { kid: `stranger-${index}` }))
  for (const token of strangers) t.same(await statuses(await token), [401])
  t.equal(reads - before, 1, 'whatever tokens name, and whichever process they come to')
  keys = keySetOf(fresh)
  await running.control.tell('tokens-refresh', { id: 'one' })
  t.same(await statuses(other), [401])
  t.same(await statuses(third), [200])
})

void test('a session is refreshed once for all processes', { timeout: PATIENCE_MS }, async (t) => {
  const refreshes: string[] = []
  /** A token that comes twice is one that was stolen. */
  const refreshed = (form: string): [status: number, answer: object] => {
    refreshes.push(new URLSearchParams(form).get('refresh_token') ?? '')
    if (refreshes.length > 1) return [400, { error: 'invalid_grant' }]
    return [200, { refresh_token: 'second', access_token: 'b', token_type: 'bearer', expires_in: 3_600 }]
  }
  const issuer = await httpServer(t, (request, response) => {
    const [authorization_endpoint, token_endpoint, jwks_uri] = ['auth', 'token', 'keys'].map((at) => `${issuer}/${at}`)
    const metadata = { issuer, authorization_endpoint, token_endpoint, jwks_uri }
    let form = ''
    request.on('data', (chunk: Buffer) => {
      form += String(chunk)
    })
    request.on('end', () => {
      const [status, answer] = request.url === '/token' ? refreshed(form) : [200, metadata]
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
    })
  })
  const secret = 'a secret that is 32 characters long'
  const { port, pids } = await clustered(t, {
    access: { oidc: { staff: { issuer, clientId: 'gateway', cookieSecrets: [secret] } } },
    routes: { '/*': { to: 'origin', access: ['oidc:staff'] } },
  })
  t.equal((await pids()).length, 2)
  const now = Date.now()
  const session: Session = {
    id: 'one',
    claims: { iss: issuer, sub: 'ada' },
    idToken: null,
    accessToken: null,
    refreshToken: 'first',
    refreshAt: now - 1,
    startedAt: now - 60_000,
    until: now + 3_600_000,
  }
  const text = await new Seal([secret], { name: 'staff', now: Date.now }).seal(session, 'session', session.until)
  const ask = async (): Promise<number> => {
    const raw = await connectRaw(t, { port: port('public') })
    return (
      await raw.exchange(
        `GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\nCookie: __Host-headrace=1~${text}\r\n\r\n`,
      )
    ).status
  }
  const statuses = await Promise.all(Array.from({ length: 16 }, ask))
  t.same([...new Set(statuses)], [200])
  t.same(refreshes, ['first'])
})
