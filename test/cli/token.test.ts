import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { AUDIENCE, ISSUER, keySetOf, signerOf } from '../tokens.ts'
import { headrace } from './command-line.ts'
import { httpServer, runningGateway } from './running.ts'
import { until } from '../until.ts'

const exp = Math.floor(Date.now() / 1000) + 3_600

void test('a token, and all of a subject, are refused from then on, and after a restart', async (t) => {
  const signer = await signerOf('ES256', 'es')
  const input = {
    access: { jwt: { main: { issuer: ISSUER, audience: AUDIENCE, jwks: { keys: [signer.jwk] } } } },
    routes: { '/*': { answer: { body: 'a' }, access: ['jwt:main'] } },
  }
  const { cwd, publicUrl, running } = await runningGateway(t, input)
  const statusOf = async (token: string, url = publicUrl): Promise<number> =>
    (await fetch(url, { headers: { authorization: `Bearer ${token}` } })).status
  const told = async (...args: string[]): Promise<string> => {
    const { code, out, err } = await headrace(cwd, ['token', ...args])
    t.same({ code, err }, { code: 0, err: '' })
    return out
  }
  const iat = Math.floor(Date.now() / 1000) - 1
  const [one, other, bobs] = await Promise.all([
    signer.sign({ exp, iat, jti: 'one' }),
    signer.sign({ exp, iat, jti: 'other' }),
    signer.sign({ exp, iat, sub: 'bob' }),
  ])
  const all = async (): Promise<number[]> => await Promise.all([one, other, bobs].map((token) => statusOf(token)))
  t.same(await all(), [200, 200, 200])
  t.equal(await told('revoke', 'token', 'one'), '✔ The token one is refused, in one process\n')
  t.same(await all(), [401, 200, 200])
  t.equal(
    await told('revoke', 'subject', 'ada', '--for', '2h'),
    '✔ What ada had until now is refused, in one process\n',
  )
  t.same(await all(), [401, 401, 200])
  t.equal(await told('refresh'), '✔ The keys of all issuers were read, in one process\n')
  t.same(await all(), [401, 401, 200])
  await running.close()
})

void test('a key that its issuer has taken back is refused once the gateway is told', async (t) => {
  const [old, fresh] = await Promise.all([signerOf('ES256', 'old'), signerOf('ES256', 'fresh')])
  let keys = keySetOf(old)
  const origin = await httpServer(t, (_request, response) => void response.end(keys))
  const { cwd, publicUrl } = await runningGateway(t, {
    access: { jwt: { main: { issuer: ISSUER, audience: AUDIENCE, jwks: { url: `${origin}/jwks` } } } },
    routes: { '/*': { answer: { body: 'a' }, access: ['jwt:main'] } },
  })
  const token = await old.sign({ exp })
  const statusOf = async (): Promise<number> =>
    (await fetch(publicUrl, { headers: { authorization: `Bearer ${token}` } })).status
  t.equal(await statusOf(), 200)
  keys = keySetOf(fresh)
  t.equal((await headrace(cwd, ['token', 'refresh'])).code, 0)
  t.equal(await statusOf(), 401)
})

void test('a file of keys that changes is in force by itself', async (t) => {
  const [old, fresh] = await Promise.all([signerOf('ES256', 'old'), signerOf('ES256', 'fresh')])
  // Not the test's own folder, which the gateway's takes the place of.
  const folder = mkdtempSync(join(tmpdir(), 'headrace-keys-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'keys.json'), keySetOf(old))
  const { publicUrl } = await runningGateway(t, {
    access: { jwt: { main: { issuer: ISSUER, audience: AUDIENCE, jwks: { file: join(folder, 'keys.json') } } } },
    routes: { '/*': { answer: { body: 'a' }, access: ['jwt:main'] } },
  })
  const statusOf = async (token: string): Promise<number> =>
    (await fetch(publicUrl, { headers: { authorization: `Bearer ${token}` } })).status
  const [before, after] = [await old.sign({ exp }), await fresh.sign({ exp })]
  t.equal(await statusOf(before), 200)
  writeFileSync(join(folder, 'keys.json'), keySetOf(fresh))
  await until(async () => (await statusOf(after)) === 200)
  t.equal(await statusOf(before), 401)
})

void test('what is no command is told', async (t) => {
  for (const args of [['revoke'], ['revoke', 'key', 'x'], ['refresh', 'now'], ['revoke', 'token', 'x', '--for', '5']]) {
    const { code, err } = await headrace('/nonexistent', ['token', ...args])
    t.equal(code, 2)
    t.match(err, /token takes|--for takes/)
  }
})
