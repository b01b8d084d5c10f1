import { gzipSync } from 'node:zlib'
import { test, type Test } from 'tap'
import { request } from 'undici'
import { decoded } from '../../decode.ts'
import { type ConfigInput, everyProtocol, type Gateway, PATIENCE, startManagedGateway, TIMEOUTS } from '../../helper.ts'
import { startUpstream, type Upstream } from '../../upstream-server.ts'
import type { Field } from '../../wire.ts'

interface Before {
  to?: ConfigInput
  route?: ConfigInput
  answer?: Field[]
  /** So often the name is answered in one body. */
  times?: number
  /** Hits are answered ahead of node:http, where they may be. */
  early?: boolean
}

/** A gateway with one route to two sides, which answer with their names. */
async function beforeSides(
  t: Test,
  { to = {}, route = {}, answer = [], times = 1, early = false }: Before = {},
): Promise<{ gateway: Gateway; old: Upstream; next: Upstream }> {
  const named = (name: string) => startUpstream(t, (exchange) => exchange.respond(200, answer, name.repeat(times)))
  const [old, next] = (await Promise.all([named('old'), named('next')])) as [Upstream, Upstream]
  const gateway = await startManagedGateway(t, {
    upstreams: {
      old: { targets: [old.origin], timeout: TIMEOUTS },
      next: { targets: [next.origin], timeout: TIMEOUTS },
    },
    routes: { '/*': { to: { split: { old: 1, next: 0 }, ...to }, ...route } },
    cache: { early },
  })
  return { gateway, old, next }
}

const CANARY = { split: { old: 1, next: 0 }, rules: [{ header: 'x-canary', is: '1', to: 'next' }] }

everyProtocol('a rule sends to its side, and Vary says so', async (t, protocol) => {
  const { gateway } = await beforeSides(t, { to: CANARY, answer: [['Vary', 'accept']] })
  const client = await gateway.client(protocol)
  const plain = await client.request({ path: '/a' })
  t.equal(String(plain.body), 'old')
  t.strictSame(
    plain.fields.filter(([name]) => name.toLowerCase() === 'vary').map(([, value]) => value),
    ['accept', 'x-canary'],
  )
  t.equal(plain.get('set-cookie'), undefined)
  t.equal(String((await client.request({ path: '/a', fields: [['X-Canary', '1']] })).body), 'next')
  t.equal(String((await client.request({ path: '/a', method: 'POST', body: 'x' })).body), 'old')
})

everyProtocol('a cookie by chance keeps a client at its side', async (t, protocol) => {
  const { gateway } = await beforeSides(t, { to: { split: { old: 1, next: 1 }, sticky: {} } })
  const client = await gateway.client(protocol)
  const sides = new Set<string>()
  for (let i = 0; i < 40; i++) {
    const first = await client.request({ path: '/' })
    const cookie = first.get('set-cookie') ?? ''
    t.match(cookie, /^headrace-side=[0-9a-z]{5}; Path=\/; HttpOnly; SameSite=Lax(; Secure)?$/)
    t.equal(cookie.endsWith('; Secure'), protocol === 'h2')
    const again = await client.request({ path: '/', fields: [['Cookie', cookie.split(';')[0] as string]] })
    t.strictSame(again.body, first.body)
    t.equal(again.get('set-cookie'), undefined)
    t.equal(again.get('vary'), 'cookie')
    sides.add(String(first.body))
  }
  t.equal(sides.size, 2, 'one in 2⁴⁰ runs draws the same side each time')
})

for (const [way, early] of [
  ['by node:http', false],
  ['early', true],
] as const) {
  void test(`what the cache has of one side is never given to the other (${way})`, { timeout: PATIENCE }, async (t) => {
    const { gateway, old, next } = await beforeSides(t, {
      early,
      to: CANARY,
      route: { cache: { ttl: '1m' } },
    })
    const client = await gateway.client('h1')
    const ask = async (canary: boolean): Promise<[string, string | undefined]> => {
      const answer = await client.request({ path: '/a', fields: canary ? [['X-Canary', '1']] : [] })
      return [String(answer.body), answer.get('cache-status')?.replace(/;.*?(?=;|$)/, '')]
    }
    for (const _round of [1, 2]) {
      t.equal((await ask(false))[0], 'old')
      t.equal((await ask(true))[0], 'next')
    }
    t.equal(old.requests.length, 1, 'the second time it came from the cache')
    t.equal(next.requests.length, 1)
    // A change through one side is a change of the other's answers, too: both have the same path.
    await client.request({ path: '/a', method: 'DELETE' })
    await ask(false)
    await ask(true)
    t.equal(next.requests.length, 2)
  })

  void test('a client gets its cookie with answers of the cache, and the cache none', {
    timeout: PATIENCE,
  }, async (t) => {
    const { gateway, old, next } = await beforeSides(t, {
      to: { split: { old: 1, next: 1 }, sticky: {} },
      route: { cache: { ttl: '1m' } },
    })
    const client = await gateway.client('h1')
    for (let i = 0; i < 20; i++) {
      const first = await client.request({ path: '/a' })
      const cookies = first.fields.filter(([name]) => name.toLowerCase() === 'set-cookie')
      t.equal(cookies.length, 1)
      const mine = (cookies[0]?.[1] ?? '').split(';')[0] as string
      const again = await client.request({ path: '/a', fields: [['Cookie', mine]] })
      t.strictSame(again.body, first.body)
      t.equal(again.get('set-cookie'), undefined)
      t.match(again.get('cache-status'), /hit/)
    }
    t.ok(old.requests.length <= 1 && next.requests.length <= 1)
  })
}

void test('sides that answer alike share what is stored, where they are told to', { timeout: PATIENCE }, async (t) => {
  const { gateway, next } = await beforeSides(t, {
    to: { ...CANARY, cache: 'shared' },
    route: { cache: { ttl: '1m' } },
  })
  const client = await gateway.client('h1')
  t.equal(String((await client.request({ path: '/a' })).body), 'old')
  const canary = await client.request({ path: '/a', fields: [['X-Canary', '1']] })
  t.equal(String(canary.body), 'old')
  t.equal(canary.get('vary'), undefined)
  t.equal(next.requests.length, 0)
})

void test('an answer that shared caches may keep gets no cookie of one client', { timeout: PATIENCE }, async (t) => {
  const { gateway } = await beforeSides(t, {
    to: { split: { old: 1, next: 1 }, sticky: {} },
    answer: [['Cache-Control', 'public, max-age=60']],
  })
  const client = await gateway.client('h1')
  t.equal((await client.request({ path: '/' })).get('set-cookie'), undefined)
})

void test('requests are counted by side, and why they went there', { timeout: PATIENCE }, async (t) => {
  const { gateway } = await beforeSides(t, { to: CANARY })
  const client = await gateway.client('h1')
  await client.request({ path: '/' })
  await client.request({ path: '/' })
  await client.request({ path: '/', fields: [['X-Canary', '1']] })
  const { body } = await request(`${gateway.adminUrl}/metrics`, { headers: { authorization: 'Bearer test-token' } })
  const lines = (await body.text()).split('\n').filter((line) => line.startsWith('headrace_split_requests_total{'))
  const value = (upstream: string, reason: string): number =>
    Number(
      lines
        .find((line) => line.includes(`"${upstream}"`) && line.includes(`"${reason}"`))
        ?.split(' ')
        .at(-1),
    )
  t.equal(value('old', 'share'), 2)
  t.equal(value('next', 'rule'), 1)
  t.equal(value('next', 'share'), 0)
})

everyProtocol('answers of each side are compressed, from the cache too', async (t, protocol) => {
  const { gateway, old, next } = await beforeSides(t, {
    to: { split: { old: 1, next: 1 }, sticky: {} },
    route: { cache: { ttl: '1m' }, compression: true },
    answer: [['Content-Type', 'text/plain']],
    times: 1000,
  })
  const client = await gateway.client(protocol)
  const texts = new Set<string>()
  for (let turn = 0; turn < 40; turn++) {
    const answer = await client.request({ path: '/', fields: [['Accept-Encoding', 'gzip']] })
    t.equal(answer.get('content-encoding'), 'gzip')
    t.match(answer.get('set-cookie'), /^headrace-side=/)
    const vary = answer.fields.filter(([name]) => name.toLowerCase() === 'vary').map(([, value]) => value.toLowerCase())
    t.strictSame(vary.join(', ').split(', ').toSorted(), ['accept-encoding', 'cookie'])
    texts.add(decoded(answer))
  }
  t.strictSame([...texts].toSorted(), ['next'.repeat(1000), 'old'.repeat(1000)])
  t.strictSame([old.requests.length, next.requests.length], [1, 1])
})

void test('a body that is decompressed goes to its side', { timeout: PATIENCE }, async (t) => {
  const { gateway, next } = await beforeSides(t, { to: CANARY, route: { decompress: true } })
  const client = await gateway.client('h1')
  const fields: Field[] = [
    ['X-Canary', '1'],
    ['Content-Encoding', 'gzip'],
  ]
  t.equal((await client.request({ method: 'POST', path: '/', fields, body: gzipSync('plain') })).status, 200)
  t.equal(String(next.requests[0]?.body), 'plain')
})
