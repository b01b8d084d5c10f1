import { test } from 'tap'
import { everyProtocol, PATIENCE } from '../../helper.ts'
import type { Field } from '../../wire.ts'
import { cachedBefore, status } from './cached.ts'

const REPEATED: Field[] = [
  'X-Content-Type-Options',
  'Age',
  'ETag',
  'Last-Modified',
  'Content-Type',
  'Content-Language',
].flatMap((name): Field[] => [
  [name, '1'],
  [name, '1'],
])

everyProtocol(
  'fields that an origin repeats though it should not are answered in every protocol',
  async (t, protocol) => {
    const cached = await cachedBefore(t, (exchange) =>
      exchange.respond(
        200,
        [['Cache-Control', exchange.request.target === '/x' ? 'max-age=60' : 'no-store'], ...REPEATED],
        'body',
      ),
    )
    const client = await cached.client(protocol)
    const ask = (path: string, fields: Field[] = []) => client.request({ path, fields })
    t.equal((await ask('/private')).status, 200)
    const miss = await ask('/x')
    t.strictSame([String(miss.body), miss.get('age'), miss.get('x-content-type-options')], ['body', '1, 1', '1, 1'])
    const hit = await ask('/x')
    t.match(status(hit), /^hit/)
    t.equal(hit.fields.filter(([name]) => name === 'age').length, 1)
    t.equal((await ask('/x', [['If-None-Match', '*']])).status, 304)
    const part = await ask('/x', [['Range', 'bytes=0-0']])
    t.equal(part.status, 206)
    t.equal(part.fields.filter(([name]) => name === 'age').length, 1)
    t.equal((await ask('/x', [['Range', 'bytes=9-']])).status, 416)
  },
)

void test('what says twice when it was made is no younger for it', { timeout: PATIENCE }, async (t) => {
  let made = ''
  const cached = await cachedBefore(t, (exchange) =>
    exchange.respond(200, [
      ['Cache-Control', 'max-age=60'],
      ['Date', made],
      ['Date', made],
    ]),
  )
  made = new Date(cached.now() - 50_000).toUTCString()
  await cached.get('/x')
  const hit = await cached.get('/x')
  t.strictSame([status(hit), hit.get('age')], ['hit; ttl=10', '50'])
})
