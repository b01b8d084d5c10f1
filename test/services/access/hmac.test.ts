import { createHash, createHmac } from 'node:crypto'
import { Readable } from 'node:stream'
import { test } from 'tap'
import type { Consumers } from '../../../services/access/consumers/consumers.ts'
import { Directory } from '../../../services/access/consumers/directory.ts'
import { HmacScheme } from '../../../services/access/hmac/hmac-scheme.ts'
import { ReplayMemory } from '../../../services/access/hmac/replay-memory.ts'
import { readSignatureInput } from '../../../services/access/hmac/signature-input.ts'
import type { Exchange } from '../../../services/downstream/exchange.ts'
import { asking } from './given.ts'

const SECRET = 'a secret of twenty-five characters'
const NOON = Date.parse('2026-06-01T12:00:00Z')
const CREATED = NOON / 1000

function schemeAt(
  now = { time: NOON },
  remember = 100,
  { windowMs = 60_000, previous }: { windowMs?: number; previous?: HmacScheme } = {},
): HmacScheme {
  const acme = { keys: [], certificates: [], groups: [], scopes: [], tier: null, priority: null, enabled: true }
  const directory = new Directory([{ ...acme, name: 'acme', password: null, secrets: [{ id: 'k1', secret: SECRET }] }])
  const options = { windowMs, maxBodyBytes: 1000, remember, shared: true, keep: false }
  const consumers = { directory } as Consumers
  return new HmacScheme(options, { realm: 'test', consumers, now: () => now.time, previous })
}

interface Signing {
  method?: string
  query?: string
  components?: string[]
  parameters?: string
  secret?: string
  body?: string
  digest?: string
  /** Sent in place of what was signed. */
  sent?: { method?: string; query?: string }
}

const PLAIN = ['@method', '@authority', '@path', '@query']

/** An independent signer: the base is written out line by line, as RFC 9421 §2.5 shows it. */
function signed({ method = 'GET', query = '?a=1', secret = SECRET, body, sent = {}, ...more }: Signing = {}): Exchange {
  const { components = body === undefined ? PLAIN : [...PLAIN, 'content-digest'] } = more
  const { parameters = `;created=${CREATED};keyid="k1";alg="hmac-sha256"` } = more
  const digest =
    more.digest ??
    `sha-256=:${createHash('sha256')
      .update(body ?? '')
      .digest('base64')}:`
  const values: Record<string, string> = {
    '@method': method,
    '@authority': 'api.test',
    '@path': '/',
    '@query': query === '' ? '?' : query,
    '@target-uri': `http://api.test/${query}`,
    '@request-target': `/${query}`,
    'content-digest': digest,
  }
  const input = `(${components.map((name) => `"${name}"`).join(' ')})${parameters}`
  const base = [...components.map((name) => `"${name}": ${values[name]}`), `"@signature-params": ${input}`].join('\n')
  const signature = createHmac('sha256', secret).update(base).digest('base64')
  const fields = ['Signature-Input', `sig=${input}`, 'Signature', `sig=:${signature}:`]
  if (body !== undefined) fields.push('Content-Digest', digest)
  const exchange = asking({ method: sent.method ?? method, query: sent.query ?? query, fields })
  if (body !== undefined) exchange.body = Readable.from([Buffer.from(body)], { objectMode: false })
  return exchange
}

const isInvalid = { code: 'HR_ACCESS_INVALID', statusCode: 401 }

void test('a request signed with a consumer’s secret is that consumer’s', async (t) => {
  const scheme = schemeAt()
  t.match(scheme.authenticate(signed()), { id: 'acme', scheme: 'hmac' })
  t.match(scheme.authenticate(signed({ components: ['@method', '@target-uri'] })), { id: 'acme' })
  t.match(scheme.authenticate(signed({ components: ['@method', '@authority', '@request-target'] })), { id: 'acme' })
  t.equal(scheme.authenticate(asking()), undefined)
  const exchange = signed({ query: '' })
  t.match(scheme.authenticate(exchange), { id: 'acme' })
  scheme.conceal(exchange)
  t.same(exchange.fields.kept, [])
})

void test('a signature of the RFC’s own example is verified (RFC 9421 §B.2.5)', async (t) => {
  const input = '("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"'
  const given = readSignatureInput(`sig-b25=${input}`, 'sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:')
  const secret = 'uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ=='
  const base = [
    '"date": Tue, 20 Apr 2021 02:07:55 GMT',
    '"@authority": example.com',
    '"content-type": application/json',
    `"@signature-params": ${given?.parameters}`,
  ].join('\n')
  t.same(given?.signature, createHmac('sha256', Buffer.from(secret, 'base64')).update(base).digest())
})

void test('another method, query, secret or key, or less signed than decides, is refused', async (t) => {
  const wrong: Signing[] = [
    { sent: { method: 'DELETE' } },
    { sent: { query: '?a=2' } },
    { secret: `${SECRET}x` },
    { parameters: `;created=${CREATED};keyid="k2"` },
    { parameters: `;created=${CREATED};keyid="__proto__"` },
    { parameters: `;created=${CREATED};keyid="k1";alg="rsa-pss-sha512"` },
    { parameters: `;keyid="k1"` },
    { parameters: `;created=${CREATED}` },
    { parameters: `;created=${CREATED};keyid="k1";keyid="k2"` },
    { components: ['@method', '@path', '@query'] },
    { components: ['@method', '@authority', '@path'] },
    { components: ['@authority', '@path', '@query'] },
    { components: [...PLAIN, '@method'] },
    { components: [...PLAIN, 'x-not-there'] },
    { components: [...PLAIN, '@status'] },
    { body: 'x', components: PLAIN },
  ]
  const scheme = schemeAt()
  for (const signing of wrong) t.match(await scheme.authenticate(signed(signing)), isInvalid, JSON.stringify(signing))
  t.equal(scheme.replays.size, 0, 'and nothing is remembered of it')
})

void test('a request whose signed body has been taken away is refused', (t) => {
  const scheme = schemeAt()
  const without = (signing: Signing): Exchange => Object.assign(signed({ method: 'POST', ...signing }), { body: null })
  t.match(scheme.authenticate(without({ body: 'transfer: 100' })), isInvalid)
  t.match(scheme.authenticate(without({ body: '', digest: 'md5=:AAAA:' })), isInvalid)
  t.equal(scheme.replays.size, 0)
  t.match(scheme.authenticate(without({ body: '' })), { id: 'acme' }, 'nothing was signed')
  t.end()
})

void test('an unknown keyid is as much work as a wrong secret and a right one: one signature each', async (t) => {
  const scheme = schemeAt()
  const computedFor = (signing: Signing): number => {
    const before = scheme.computed
    void scheme.authenticate(signed(signing))
    return scheme.computed - before
  }
  t.equal(computedFor({}), 1)
  t.equal(computedFor({ secret: `${SECRET}x` }), 1)
  t.equal(computedFor({ parameters: `;created=${CREATED};keyid="nobody"` }), 1)
  t.equal(computedFor({ parameters: `;created=${CREATED};keyid="__proto__"` }), 1)
})

void test('a signature is good for the window around its time, and once', async (t) => {
  const now = { time: NOON }
  const scheme = schemeAt(now)
  t.match(scheme.authenticate(signed()), { id: 'acme' })
  t.match(scheme.authenticate(signed()), { code: 'HR_ACCESS_REPLAYED', statusCode: 401 })
  const nonce = (text: string): Signing => ({ parameters: `;created=${CREATED};keyid="k1";nonce="${text}"` })
  t.match(scheme.authenticate(signed(nonce('1'))), { id: 'acme' })
  t.match(scheme.authenticate(signed(nonce('2'))), { id: 'acme' })
  t.match(scheme.authenticate(signed({ ...nonce('1'), query: '?other' })), { code: 'HR_ACCESS_REPLAYED' })
  now.time = NOON + 60_000
  t.match(scheme.authenticate(signed()), { code: 'HR_ACCESS_REPLAYED' })
  t.match(scheme.authenticate(signed({ query: '?last' })), { id: 'acme' })
  for (const time of [NOON + 60_001, NOON - 60_001]) {
    now.time = time
    t.match(scheme.authenticate(signed({ query: '?late' })), isInvalid)
  }
  now.time = NOON
  const expired = signed({ query: '?e', parameters: `;created=${CREATED};keyid="k1";expires=${CREATED}` })
  t.match(scheme.authenticate(expired), isInvalid)
})

void test('while nothing more can be remembered, nothing more is accepted', async (t) => {
  const now = { time: NOON }
  const scheme = schemeAt(now, 2)
  for (const query of ['?1', '?2']) t.match(scheme.authenticate(signed({ query })), { id: 'acme' })
  t.match(scheme.authenticate(signed({ query: '?3' })), { code: 'HR_ACCESS_BUSY', statusCode: 503 })
  const memory = new ReplayMemory({ lifetimeMs: 100, most: 2 })
  t.equal(memory.take('a', 0), 'new')
  t.equal(memory.take('b', 50), 'new')
  t.equal(memory.take('b', 149), 'known', 'for a lifetime at least')
  t.equal(memory.take('c', 199), 'full')
  t.equal(memory.take('c', 249), 'new', 'and until the generation after its own is over')
  t.equal(memory.take('c', -1000), 'known', 'a clock that goes back forgets nothing')
})

void test('other bounds forget nothing that could come again', async (t) => {
  const memory = new ReplayMemory({ lifetimeMs: 100, most: 3 })
  t.equal(memory.take('a', 0), 'new')
  t.equal(memory.take('b', 100), 'new')
  memory.rebind({ lifetimeMs: 1000, most: 3 }, 150)
  for (const id of ['a', 'b']) t.equal(memory.take(id, 1149), 'known', id)
  t.equal(memory.take('b', 2000), 'known')
  t.equal(memory.take('a', 2150), 'new')
  memory.rebind({ lifetimeMs: 100, most: 1 }, 2150)
  t.equal(memory.take('a', 2249), 'known')
  t.equal(memory.take('c', 2249), 'full')
  t.equal(memory.take('c', 3149), 'new')
  for (let time = 3150; time < 3350; time += 10) memory.rebind({ lifetimeMs: 100, most: 1 }, time)
  t.equal(memory.take('d', 3350), 'new', 'the same bounds again put nothing off')
})

void test('a longer window is for what is signed from then on; a shorter one for all', async (t) => {
  const now = { time: NOON }
  const short = schemeAt(now)
  t.match(short.authenticate(signed()), { id: 'acme' })
  now.time = NOON + 300_000
  const long = schemeAt(now, 100, { windowMs: 600_000, previous: short })
  t.match(long.authenticate(signed()), isInvalid, 'accepted, and long forgotten: it is still too old')
  const signedAt = (time: number): ReturnType<typeof signed> =>
    signed({ parameters: `;created=${time / 1000};keyid="k1";nonce="${time}"` })
  t.match(long.authenticate(signedAt(NOON + 240_000)), { id: 'acme' }, 'as before')
  t.match(long.authenticate(signedAt(NOON + 239_000)), isInvalid)
  now.time = NOON + 900_000
  t.match(long.authenticate(signedAt(NOON + 359_000)), isInvalid, 'by a clock that was ahead')
  t.match(long.authenticate(signedAt(NOON + 361_000)), { id: 'acme' })
  const again = schemeAt(now, 100, { windowMs: 60_000, previous: long })
  t.match(again.authenticate(signedAt(NOON + 500_000)), isInvalid)
  t.match(again.authenticate(signedAt(NOON + 361_000)), isInvalid)
  t.match(again.authenticate(signedAt(NOON + 899_000)), { id: 'acme' })
})

void test('a body is compared with the digest that was signed, and goes on as it came', async (t) => {
  const scheme = schemeAt()
  const exchange = signed({ method: 'POST', body: '{"a":1}' })
  t.match(await scheme.authenticate(exchange), { id: 'acme' })
  const chunks: Buffer[] = []
  for await (const chunk of exchange.body as Readable) chunks.push(chunk as Buffer)
  t.equal(Buffer.concat(chunks).toString(), '{"a":1}')
  const forged = signed({ method: 'POST', body: '{"a":1}', query: '?f' })
  forged.body = Readable.from([Buffer.from('{"a":2}')], { objectMode: false })
  t.match(await scheme.authenticate(forged), isInvalid)
  for (const digest of ['md5=:AAAAAAAAAAAAAAAAAAAAAA==:', 'sha-256=x', '', 'sha-256=:AAAA:']) {
    const weak = signed({ method: 'POST', body: 'x', digest, query: `?${digest.length}` })
    t.match(await scheme.authenticate(weak), isInvalid, digest)
  }
  const large = signed({ method: 'POST', body: 'x'.repeat(1001), query: '?l' })
  t.match(await scheme.authenticate(large), { statusCode: 413 })
})

void test('a body that breaks off is its client’s doing, and no failure of the gateway', async (t) => {
  const exchange = signed({ method: 'POST', body: 'never whole' })
  const body = new Readable({ read: () => undefined })
  exchange.body = body
  const answer = schemeAt().authenticate(exchange)
  // As node:http says it.
  body.destroy(Object.assign(new Error('aborted'), { code: 'ECONNRESET' }))
  t.match(await answer, { code: 'HR_REQUEST_FRAMING', statusCode: 400 })
})

void test('what cannot be read as one signature is none', async (t) => {
  const good = `sig=("@method");created=1;keyid="k"`
  t.ok(readSignatureInput(good, 'sig=:AAAAAAAAAAA=:'))
  const wrong: [string, string][] = [
    [good, 'other=:AAAAAAAAAAA=:'],
    [good, 'sig=AAAAAAAAAAA='],
    [`${good}, sig2=("@path");created=1;keyid="k"`, 'sig=:AAAAAAAAAAA=:'],
    ['sig=("@method";req);created=1;keyid="k"', 'sig=:AAAAAAAAAAA=:'],
    ['sig=("@Method");created=1;keyid="k"', 'sig=:AAAAAAAAAAA=:'],
    ['sig=("@method" "@method");created=1;keyid="k"', 'sig=:AAAAAAAAAAA=:'],
    [`sig=(${'"a" '.repeat(5000)});created=1;keyid="k"`, 'sig=:AAAAAAAAAAA=:'],
    ['sig=("@method");created=99999999999999999999;keyid="k"', 'sig=:AAAAAAAAAAA=:'],
    ['', ''],
  ]
  for (const [input, signature] of wrong) t.equal(readSignatureInput(input, signature), undefined, input.slice(0, 60))
})
