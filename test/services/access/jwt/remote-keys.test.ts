import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hash } from 'node:crypto'
import { type Test, test } from 'tap'
import { Issuer } from '../../../../services/access/jwt/issuer.ts'
import type { KeySet } from '../../../../services/access/jwt/key-set.ts'
import { RemoteKeys } from '../../../../services/access/jwt/remote-keys.ts'
import { UNKNOWN_KEY_PAUSE_MS } from '../../../../services/access/jwt/turns.ts'
import { PATIENCE } from '../../../helper.ts'
import { jwtOptions, keySetOf, NOW_MS, signerOf } from '../../../tokens.ts'
import { HandClock } from '../../upstream/hand-clock.ts'

const old = await signerOf('ES256', 'old')
const fresh = await signerOf('ES256', 'fresh')

type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** An issuer's key set, which answers as it is told; and what reads it. */
async function setUp(
  t: Test,
  answer: Answer = gives(keySetOf(old)),
  options: { maxAgeMs?: number; timeoutMs?: number; takeTurn?: () => Promise<number> } = {},
) {
  const at = { answer, requests: 0, fields: [] as unknown[] }
  const server = createServer((request, response) => {
    at.requests++
    at.fields.push(request.headers)
    at.answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const clock = new HandClock()
  const said = { failed: [] as Error[], read: [] as string[], changed: 0 }
  const keys = new RemoteKeys({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys?secret=canary`,
    maxAgeMs: 600_000,
    timeoutMs: 20_000,
    clock,
    failed: (error) => said.failed.push(error),
    takeTurn: async () => 0,
    tell: ({ text }) => said.read.push(text),
    ...options,
  })
  keys.changed = () => said.changed++
  t.teardown(async () => {
    keys.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return { at, clock, keys, said }
}

function gives(text: string, fields: Record<string, string> = {}): Answer {
  return (_request, response) => response.writeHead(200, fields).end(text)
}

const soon = { timeout: PATIENCE }

void test('keys are read once, however many wait for them', soon, async (t) => {
  const { at, keys, said } = await setUp(t)
  keys.start()
  const sets = await Promise.all(Array.from({ length: 20 }, () => keys.first()))
  t.equal(new Set(sets).size, 1)
  t.equal(sets[0]?.size, 1)
  t.equal(at.requests, 1)
  t.same(said.read, [keySetOf(old)])
})

void test('a storm of unknown keys causes one look in 30 s', soon, async (t) => {
  const { at, keys, clock } = await setUp(t)
  const issuer = new Issuer(jwtOptions(), {
    keys,
    now: () => NOW_MS,
    consumerOf: () => undefined,
    isRevoked: () => false,
  })
  await keys.first()
  const storm = async (): Promise<void> => {
    const tokens = Array.from({ length: 200 }, (_, index) => old.sign({ sub: `${index}` }, { kid: `unknown-${index}` }))
    const judged = await Promise.all(
      tokens.map(async (token) => issuer.judge(await token, hash('sha256', await token))),
    )
    t.ok(judged.every((verdict) => 'code' in verdict && verdict.code === 'HR_ACCESS_TOKEN_INVALID'))
  }
  await storm()
  t.equal(at.requests, 2, 'one for the start, one for all of them')
  await storm()
  t.equal(at.requests, 2)
  clock.pass(UNKNOWN_KEY_PAUSE_MS)
  await storm()
  t.equal(at.requests, 3)
})

void test('a token of a new key is accepted at once, and those of a removed one no longer', soon, async (t) => {
  const { at, keys, said } = await setUp(t)
  const issuer = new Issuer(jwtOptions(), {
    keys,
    now: () => NOW_MS,
    consumerOf: () => undefined,
    isRevoked: () => false,
  })
  keys.changed = () => {
    said.changed++
    issuer.forget()
  }
  const [before, after] = [await old.sign(), await fresh.sign()]
  t.match(await issuer.judge(before, 'before'), { scheme: 'jwt' })
  at.answer = gives(keySetOf(fresh))
  t.match(await issuer.judge(after, 'after'), { scheme: 'jwt' })
  t.equal(issuer.known('before'), undefined)
  t.match(await issuer.judge(before, 'before'), { code: 'HR_ACCESS_TOKEN_INVALID' })
  t.equal(said.changed, 2)
})

void test('they are read again as Cache-Control says, within bounds', soon, async (t) => {
  const cases: [field: string | undefined, maxAgeMs: number, expected: number][] = [
    ['max-age=120', 600_000, 120_000],
    ['public, max-age="45"', 600_000, 45_000],
    ['max-age=86400', 600_000, 600_000],
    ['max-age=1', 600_000, 30_000],
    ['no-store', 600_000, 30_000],
    ['max-age=120', 1_000, 1_000],
    [undefined, 600_000, 600_000],
  ]
  for (const [field, maxAgeMs, expected] of cases) {
    const fields = field === undefined ? {} : { 'cache-control': field }
    const { at, keys, clock } = await setUp(t, gives(keySetOf(old), fields), { maxAgeMs })
    await keys.first()
    clock.pass(expected - 1)
    t.equal(at.requests, 1, String(field))
    clock.pass(1)
    await keys.another(keys.current as KeySet)
    t.equal(at.requests, 2, String(field))
  }
})

void test('keys stay in force while they cannot be read again, which is tried later and later', soon, async (t) => {
  const { at, keys, clock, said } = await setUp(t)
  const set = await keys.first()
  at.answer = (_request, response) => response.writeHead(503).end()
  await keys.refresh()
  const waits = [1_000, 2_000, 4_000, 8_000]
  for (const [index, wait] of waits.entries()) {
    clock.pass(wait - 1)
    t.equal(at.requests, index + 2)
    clock.pass(1)
    await keys.first()
    await untilRead(keys, index + 3)
    t.equal(at.requests, index + 3)
  }
  t.equal(keys.current, set)
  t.equal(said.failed.length, 1, 'told once')
  t.match(keys.report(), { keys: 1, failures: 5, changes: 1 })
  at.answer = gives(keySetOf(fresh))
  await keys.refresh()
  t.not(keys.current, set)
})

void test('where they never came, nobody waits for the next attempt', soon, async (t) => {
  const { at, keys } = await setUp(t, (_request, response) => response.writeHead(500).end())
  t.equal(await keys.first(), undefined)
  t.equal(await keys.first(), undefined)
  t.equal(at.requests, 1)
})

void test('what is no usable key set, too large, redirected or too slow is not taken', soon, async (t) => {
  const { at, keys, said } = await setUp(t)
  const set = await keys.first()
  const secret = { kty: 'oct', k: 'c2VjcmV0', kid: 'old', alg: 'HS256' }
  const cases: [answer: Answer, message: RegExp][] = [
    [gives('<html>'), /is no JSON/],
    [gives('null'), /has no list/],
    [gives('{"keys":{}}'), /has no list/],
    [gives('{"keys":[]}'), /has no public key/],
    [gives(JSON.stringify({ keys: [secret, null, 7, 'x'] })), /has no public key/],
    [gives(JSON.stringify({ keys: Array.from({ length: 101 }, () => old.jwk) })), /more than 100 keys/],
    [gives(`{"keys":[]}${' '.repeat(600_000)}`), /larger than 524288 bytes/],
    [(_request, response) => response.writeHead(302, { location: '/other' }).end(), /answered with 302/],
    [(request) => request.socket.destroy(), /cannot be had: UND_ERR_SOCKET/],
  ]
  for (const [answer, message] of cases) {
    at.answer = gives(keySetOf(old))
    await keys.refresh()
    at.answer = answer
    await keys.refresh()
    const { message: told = '' } = said.failed.at(-1) ?? {}
    t.match(told, message)
    t.notMatch(told, /canary/, 'its query may have a secret')
    t.equal(keys.current, set)
  }
  const slow = await setUp(t, () => undefined, { timeoutMs: 50 })
  t.equal(await slow.keys.first(), undefined)
  t.match(slow.said.failed[0]?.message, /within 50 ms/)
})

void test('an unchanged set is told by 304, and changes nothing', soon, async (t) => {
  const { at, keys, said } = await setUp(t, gives(keySetOf(old), { etag: '"1"' }))
  await keys.first()
  at.answer = (request, response) => {
    if (request.headers['if-none-match'] === '"1"') response.writeHead(304).end()
    else gives(keySetOf(fresh))(request, response)
  }
  await keys.refresh()
  t.equal(said.changed, 1)
  t.equal(keys.report().failures, 0)
  // What another process has read is not what the tag is of.
  keys.adopt(keySetOf(old, fresh))
  t.equal(said.changed, 2)
  await keys.refresh()
  t.equal(said.changed, 3)
})

void test('what another process has read is taken over, and not told again', soon, async (t) => {
  const { at, keys, said } = await setUp(t)
  keys.adopt(keySetOf(fresh))
  t.equal((await keys.first())?.text, keySetOf(fresh))
  keys.adopt('nonsense')
  t.equal(keys.current?.text, keySetOf(fresh))
  t.equal(at.requests, 0)
  t.same(said.read, [])
  t.equal(said.changed, 1)
})

void test(
  'whose turn it is not to look for an unknown key waits for who does, and no longer than looking takes',
  soon,
  async (t) => {
    const { at, keys, clock } = await setUp(t, gives(keySetOf(old)), {
      takeTurn: async () => UNKNOWN_KEY_PAUSE_MS - 10,
      timeoutMs: 5_000,
    })
    const before = (await keys.first()) as KeySet
    const waiting = keys.another(before)
    await new Promise(setImmediate)
    keys.adopt(keySetOf(old, fresh))
    t.equal((await waiting)?.size, 2)
    t.equal(await keys.another(before), keys.current, 'who was judged by older ones needs nobody to look')

    clock.pass(UNKNOWN_KEY_PAUSE_MS)
    const inVain = keys.another(keys.current as KeySet)
    await new Promise(setImmediate)
    clock.pass(5_000 - 10)
    t.equal(await inVain, undefined)
    t.equal(await keys.another(keys.current as KeySet), undefined, 'nor does the next one wait')
    t.equal(at.requests, 1)
  },
)

void test(
  'what another machine has read is read here, where it is another set, and told to nobody',
  soon,
  async (t) => {
    const { at, keys, said } = await setUp(t)
    const { digest } = (await keys.first()) as KeySet
    await keys.heard(digest)
    t.equal(at.requests, 1)
    at.answer = gives(keySetOf(fresh))
    await keys.heard('another')
    t.equal(at.requests, 2)
    t.equal(keys.current?.text, keySetOf(fresh))
    t.equal(said.read.length, 1)
  },
)

/** A timer's own read is nobody's to wait for: this one is. */
async function untilRead(keys: RemoteKeys, fetches: number): Promise<void> {
  while (keys.report().fetches < fetches || keys.report().failures < fetches - 1) await new Promise(setImmediate)
}
