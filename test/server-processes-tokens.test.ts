import { test } from 'tap'
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
