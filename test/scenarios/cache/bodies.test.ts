import { test } from 'tap'
import { everyProtocol, PATIENCE } from '../../helper.ts'
import { startH2Upstream } from '../../h2-upstream.ts'
import { heldByKernel } from '../../kernel-buffers.ts'
import { standstill } from '../../signal.ts'
import { LONGER_MS, pass, SHORT } from '../../standing-clock.ts'
import { BrokenResponse } from '../../incoming.ts'
import { cachedBefore, status } from './cached.ts'

const MIB = 1_048_576
/** More than a client that does not read leaves room for on its way. */
const LARGE = 16 * MIB

function head(length: number): string {
  return `HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: ${length}\r\n\r\n`
}

everyProtocol('a slow follower holds up neither the others nor the store', async (t, protocol) => {
  const size = 4 * MIB
  const more = Promise.withResolvers<void>()
  const cached = await cachedBefore(t, [
    async (exchange) => {
      await exchange.send(head(size))
      await exchange.send(Buffer.alloc(MIB, 'a'))
      await more.promise
      await exchange.send(Buffer.alloc(size - MIB, 'a'))
    },
  ])
  const leader = await (await cached.client(protocol)).open({ path: '/x', keepBody: false })
  await leader.response.head()
  const slow = await (await cached.client(protocol)).open({ path: '/x', keepBody: false })
  await slow.response.head()
  slow.pause()
  more.resolve()
  await leader.response.whole()
  t.equal(leader.response.received, size)
  t.match(status(await (await cached.client(protocol)).request({ path: '/x', keepBody: false })), /^hit/)
  slow.resume()
  await slow.response.whole()
  t.equal(slow.response.received, size)
})

everyProtocol(
  'of what is too large to be stored only a window is held: the origin waits for the slowest',
  async (t, protocol) => {
    let accepted = () => 0
    const cached = await cachedBefore(
      t,
      async (exchange) => {
        accepted = () => exchange.accepted
        await exchange.send('HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n')
        for (let sent = 0; sent < LARGE; sent += MIB) await exchange.chunk(Buffer.alloc(MIB, 'a'))
        await exchange.lastChunk()
      },
      { cache: { maxEntryBytes: '1MiB' } },
    )
    const clients = await Promise.all([1, 2, 3].map(() => cached.client(protocol)))
    const readers = await Promise.all(clients.map((client) => client.open({ path: '/x', keepBody: false })))
    await Promise.all(readers.map(({ response }) => response.head()))
    const [slow, ...others] = readers
    slow!.pause()
    const sent = (await standstill(() => accepted())) - heldByKernel(cached.upstream.port)
    const passedOn = others[0]!.response.received
    t.ok(passedOn < LARGE, 'the origin waits')
    t.ok(sent - passedOn < 4 * MIB, `${sent} bytes sent, ${passedOn} passed on`)
    t.ok(cached.upstream.requests.length <= 3)
    slow!.resume()
    for (const { response } of [slow!, ...others]) {
      await response.whole()
      t.equal(response.received, LARGE)
    }
    t.equal(cached.store.stats().entries, 0)
    t.equal(cached.cache.flights, 0)
  },
)

void test('a reader that stalls is cut off alone', { timeout: PATIENCE }, async (t) => {
  const cached = await cachedBefore(
    t,
    async (exchange) => {
      await exchange.send('HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n')
      for (let sent = 0; sent < LARGE; sent += MIB) await exchange.chunk(Buffer.alloc(MIB, 'a'))
      await exchange.lastChunk()
    },
    { cache: { maxEntryBytes: '1MiB' }, config: { limits: { sendTimeout: SHORT } } },
  )
  const [stalled, reading] = await Promise.all(
    [1, 2].map(async () => (await cached.client()).open({ path: '/x', keepBody: false })),
  )
  stalled!.pause()
  await standstill(() => reading!.response.received)
  await pass(LONGER_MS)
  await reading!.response.whole()
  t.equal(reading!.response.received, LARGE)
  await cached.over(2)
  t.strictSame(cached.finished.map(({ code }) => code).toSorted(), ['', 'CLIENT_STALLED'])
})

void test('what is larger by its length than may be stored is passed on to all who wait, and not stored', {
  timeout: PATIENCE,
}, async (t) => {
  const gate = Promise.withResolvers<void>()
  const cached = await cachedBefore(
    t,
    async (exchange) => {
      await gate.promise
      await exchange.respond(200, [['Cache-Control', 'max-age=60']], 'x'.repeat(101))
    },
    { cache: { maxEntryBytes: '100B' } },
  )
  const asked = [cached.get('/x'), cached.get('/x')]
  await cached.upstream.received(1)
  await standstill(() => cached.upstream.requests.length)
  gate.resolve()
  for (const answer of await Promise.all(asked)) {
    t.equal(answer.body.length, 101)
    t.notMatch(status(answer), /stored/)
  }
  t.equal(cached.upstream.requests.length, 1)
  t.equal(cached.store.stats().entries, 0)
})

const BROKEN: [name: string, head: string, body: string, ending: 'fin' | 'reset'][] = [
  ['shorter than its length', 'Content-Length: 10', 'short', 'fin'],
  ['chunked without a last chunk', 'Transfer-Encoding: chunked', '5\r\nshort\r\n', 'fin'],
  ['chunked with a size that is none', 'Transfer-Encoding: chunked', '5\r\nshort\r\nzz\r\n', 'fin'],
  ['reset, where the close delimits it', 'X-A: b', 'short', 'reset'],
]

for (const [name, field, body, ending] of BROKEN) {
  void test(`a body that breaks off (${name}) is never stored`, { timeout: PATIENCE }, async (t) => {
    let count = 0
    const cached = await cachedBefore(t, async (exchange) => {
      if (++count > 1) return exchange.respond(200, [['Cache-Control', 'max-age=60']], 'whole')
      await exchange.send(`HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n${field}\r\n\r\n${body}`)
      return exchange[ending]()
    })
    const { response } = await (await cached.client()).open({ path: '/x' })
    t.equal(await response.ending(), 'broken')
    t.equal(cached.store.stats().entries, 0)
    t.equal(String((await cached.get('/x')).body), 'whole')
  })
}

void test('a body that only the close delimits goes to all who wait, and is not stored', {
  timeout: PATIENCE,
}, async (t) => {
  const gate = Promise.withResolvers<void>()
  const cached = await cachedBefore(t, async (exchange) => {
    await gate.promise
    await exchange.send('HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n\r\nall of it?')
    exchange.fin()
  })
  const asked = [cached.get('/x'), cached.get('/x')]
  await cached.upstream.received(1)
  await standstill(() => cached.upstream.requests.length)
  gate.resolve()
  for (const answer of await Promise.all(asked)) {
    t.equal(String(answer.body), 'all of it?')
    t.notMatch(status(answer), /stored/)
  }
  t.equal(cached.upstream.requests.length, 1)
  t.equal(cached.store.stats().entries, 0)
})

void test('bodies on their way are kept within a quarter of what the store may hold, all together', {
  timeout: PATIENCE,
}, async (t) => {
  const gate = Promise.withResolvers<void>()
  const cached = await cachedBefore(
    t,
    async (exchange) => {
      await exchange.send('HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n')
      await exchange.chunk(Buffer.alloc(MIB, 'a'))
      await gate.promise
      await exchange.lastChunk()
    },
    { store: { maxBytes: 16 * MIB }, cache: { maxEntryBytes: '8MiB' } },
  )
  const readers = await Promise.all(
    Array.from({ length: 12 }, async (_, i) => (await cached.client()).open({ path: `/${i}`, keepBody: false })),
  )
  await cached.upstream.received(12)
  await standstill(() => readers.reduce((sum, { response }) => sum + response.received, 0))
  gate.resolve()
  for (const { response } of readers) await response.whole()
  t.ok(cached.store.stats().entries >= 2, 'some are stored')
  t.ok(cached.store.stats().entries <= 5, 'not all')
})

void test("what the origin's caches say of age and of themselves is passed on, before what this one says", {
  timeout: PATIENCE,
}, async (t) => {
  const cached = await cachedBefore(t, [
    (exchange) =>
      exchange.respond(200, [
        ['Cache-Control', 'max-age=60'],
        ['Age', '7'],
        ['Cache-Status', 'edge; hit'],
      ]),
  ])
  const miss = await cached.get('/x')
  t.equal(miss.get('age'), '7')
  t.match(miss.get('cache-status'), /^edge; hit, headrace; fwd=uri-miss; fwd-status=200; ttl=53; stored$/)
  cached.pass(3)
  const hit = await cached.get('/x')
  t.equal(hit.get('age'), '10')
  t.equal(hit.get('cache-status'), 'edge; hit, headrace; hit; ttl=50')
  t.strictSame(hit.fields.filter(([name]) => name === 'age').length, 1)
})

for (const bytes of [5, 15]) {
  void test(`of an HTTP/2 origin that sends ${bytes} bytes and declares 10 nothing is stored`, {
    timeout: PATIENCE,
  }, async (t) => {
    const origin = await startH2Upstream(t, ({ stream }) => {
      stream.respond({ ':status': 200, 'content-length': '10', 'cache-control': 'max-age=60' })
      stream.end('x'.repeat(bytes))
    })
    const to = { targets: [origin.origin], http2: true, tls: { verify: false } }
    const cached = await cachedBefore(t, [], { to })
    await t.rejects(cached.get('/x'), BrokenResponse)
    t.equal(cached.store.stats().entries, 0)
  })
}
