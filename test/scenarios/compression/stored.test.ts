import { test } from 'tap'
import { createRecoder, type Recode } from '../../../services/compression/recoder.ts'
import { WorkerPool } from '../../../services/workers/worker-pool.ts'
import { decoded } from '../../decode.ts'
import { everyProtocol, PATIENCE } from '../../helper.ts'
import type { Field } from '../../wire.ts'
import { answering, cachedBefore, status } from '../cache/cached.ts'

const ROWS = JSON.stringify(
  Array.from({ length: 200 }, (_, id) => ({ id, name: `vehicle ${id}`, at: (id * 7919) % 1000 })),
)
const FIELDS: Field[] = [
  ['Content-Type', 'application/json'],
  ['Cache-Control', 'max-age=60'],
  ['ETag', '"v1"'],
]
const accepting = (coding: string): Field[] => [['Accept-Encoding', coding]]
const compressed = { route: { compression: true } }

everyProtocol('one stored answer serves every client in the coding that it likes', async (t, protocol) => {
  const cached = await cachedBefore(t, answering(FIELDS, { body: ROWS }), compressed)
  const client = await cached.client(protocol)
  for (const coding of ['zstd', 'br', 'gzip', undefined, 'zstd', 'br', 'gzip']) {
    const response = await client.request({ path: '/', fields: coding === undefined ? [] : accepting(coding) })
    t.equal(response.get('content-encoding'), coding)
    t.equal(response.get('etag'), coding === undefined ? '"v1"' : 'W/"v1"')
    t.equal(response.get('vary'), 'Accept-Encoding')
    t.equal(response.get('content-length'), String(response.body.length))
    t.equal(decoded(response), ROWS)
  }
  t.equal(cached.upstream.requests.length, 1)
  t.equal(cached.store.stats().entries, 1)
})

void test('a 304 and a client that wants it as it is have Vary where the stored answer has it', {
  timeout: PATIENCE,
}, async (t) => {
  const kinds: [string, Field[], string | undefined][] = [
    ['/rows', [], 'Accept-Encoding'],
    ['/image', [['Content-Type', 'image/png']], undefined],
    ['/fixed', [['Cache-Control', 'max-age=60, no-transform']], undefined],
    ['/coded', [['Content-Encoding', 'x-own']], undefined],
  ]
  const cached = await cachedBefore(
    t,
    (exchange) => {
      const own = kinds.find(([path]) => path === exchange.request.target)?.[1] ?? []
      const others = FIELDS.filter(([name]) => own.every(([one]) => one !== name))
      return exchange.respond(200, [...others, ...own], ROWS)
    },
    compressed,
  )
  for (const [path, , vary] of kinds) {
    t.equal((await cached.get(path, accepting('br'))).get('vary'), vary, path)
    const same = await cached.get(path, [...accepting('br'), ['If-None-Match', 'W/"v1"']])
    t.equal(same.status, 304)
    t.equal(same.get('vary'), vary, `${path}, 304`)
    t.equal(same.get('etag'), vary === undefined ? '"v1"' : 'W/"v1"')
    const asItIs = await cached.get(path, [...accepting('br'), ['Cache-Control', 'no-transform']])
    t.equal(asItIs.get('content-encoding'), path === '/coded' ? 'x-own' : undefined)
    t.equal(asItIs.get('vary'), vary, `${path}, no-transform`)
  }
  t.equal(cached.upstream.requests.length, kinds.length)
})

void test('a coding that is asked for again is made as small as can be, in a thread', {
  timeout: PATIENCE,
}, async (t) => {
  const pool = new WorkerPool({ threads: 1, queue: 8 })
  t.teardown(() => pool.close())
  const inThread = createRecoder(pool)
  const done = Promise.withResolvers<void>()
  const recode: Recode = async (task) => {
    const coded = await inThread(task)
    // What is made of it is made in the turn after.
    setImmediate(done.resolve)
    return coded
  }
  const cached = await cachedBefore(t, answering(FIELDS, { body: ROWS }), { ...compressed, recode })
  const lengths: number[] = []
  for (let i = 0; i < 4; i++) lengths.push((await cached.get('/', accepting('br'))).body.length)
  const bytes = cached.store.stats().bytes
  await done.promise
  const response = await cached.get('/', accepting('br'))
  t.ok(response.body.length < (lengths.at(-1) as number), `${response.body.length} of ${lengths.join(', ')}`)
  t.equal(decoded(response), ROWS)
  t.equal(status(response), 'hit; ttl=60')
  t.ok(cached.store.stats().bytes < bytes, 'and takes less memory')
})

void test('codings count as memory of the cache, and go with a purge', { timeout: PATIENCE }, async (t) => {
  const cached = await cachedBefore(t, answering(FIELDS, { body: ROWS }), compressed)
  await cached.get('/')
  const alone = cached.store.stats().bytes
  for (const coding of ['zstd', 'br', 'gzip']) await cached.get('/', accepting(coding))
  t.ok(cached.store.stats().bytes > alone)
  await cached.cache.purge({ kind: 'all' }, 'hard')
  t.equal(cached.store.stats().bytes, 0)
  const again = await cached.get('/', accepting('br'))
  t.match(status(again), /^fwd=uri-miss/)
  t.equal(cached.upstream.requests.length, 2)
})

void test('a new answer of the origin has codings of its own', { timeout: PATIENCE }, async (t) => {
  const bodies = [ROWS, ROWS.replaceAll('vehicle', 'lorry')]
  const cached = await cachedBefore(
    t,
    bodies.map(
      (body) => (exchange: Parameters<ReturnType<typeof answering>>[0]) => exchange.respond(200, FIELDS, body),
    ),
    compressed,
  )
  for (let i = 0; i < 2; i++) t.equal(decoded(await cached.get('/', accepting('br'))), bodies[0])
  cached.pass(61)
  for (let i = 0; i < 2; i++) t.equal(decoded(await cached.get('/', accepting('br'))), bodies[1])
})

void test('conditions, ranges and HEAD are answered as without codings', { timeout: PATIENCE }, async (t) => {
  const cached = await cachedBefore(t, answering(FIELDS, { body: ROWS }), compressed)
  for (let i = 0; i < 2; i++) await cached.get('/', accepting('br'))
  const same = await cached.get('/', [...accepting('br'), ['If-None-Match', 'W/"v1"']])
  t.equal(same.status, 304)
  t.equal(same.get('etag'), 'W/"v1"')
  t.equal(same.get('content-encoding'), undefined)
  const part = await cached.get('/', [...accepting('br'), ['Range', 'bytes=0-9']])
  t.equal(part.status, 206)
  t.equal(part.body.toString(), ROWS.slice(0, 10))
  t.equal(part.get('content-encoding'), undefined)
  const outdated = await cached.get('/', [...accepting('br'), ['Range', 'bytes=0-9'], ['If-Range', 'W/"v1"']])
  t.equal(outdated.status, 200, 'a part of a coded answer fits to nothing here')
  t.equal(outdated.body.toString(), ROWS)
  const head = await cached.ask('HEAD', '/', { fields: accepting('br') })
  t.equal(head.get('content-length'), String(ROWS.length))
  t.equal(head.get('content-encoding'), undefined)
  t.equal(cached.upstream.requests.length, 1)
})

void test('a validation by the weak tag keeps what is stored', { timeout: PATIENCE }, async (t) => {
  const cached = await cachedBefore(
    t,
    (exchange) =>
      exchange.request.get('if-none-match') === '"v1"'
        ? exchange.send('HTTP/1.1 304 Not Modified\r\nETag: "v1"\r\nCache-Control: max-age=60\r\n\r\n')
        : exchange.respond(200, FIELDS, ROWS),
    compressed,
  )
  await cached.get('/', accepting('br'))
  cached.pass(61)
  const response = await cached.get('/', accepting('br'))
  t.match(status(response), /fwd-status=304/)
  t.equal(response.get('content-encoding'), 'br')
  t.equal(decoded(response), ROWS)
})

void test('a large answer is coded once for all who ask meanwhile, and a client that left is no trouble', {
  timeout: PATIENCE,
}, async (t) => {
  const large = ROWS.repeat(40)
  const cached = await cachedBefore(t, answering(FIELDS, { body: large }), compressed)
  await cached.get('/')
  const client = await cached.client()
  const leaving = await client.open({ path: '/', fields: accepting('br') })
  leaving.abort()
  const responses = await Promise.all(Array.from({ length: 5 }, () => cached.get('/', accepting('br'))))
  for (const response of responses) {
    t.equal(response.get('content-encoding'), 'br')
    t.equal(decoded(response), large)
  }
})
