import { test } from 'tap'
import { Forwarding } from '../../../services/downstream/forwarding.ts'
import type { ForwardedOptions } from '../../../services/downstream/options.ts'
import { type ExchangeInit, makeExchange } from './make-exchange.ts'

interface Told {
  id: string
  client: string
  scheme: string
  sent: Record<string, string>
}

function tell(init: ExchangeInit, options: Partial<ForwardedOptions> = {}, authority = 'gateway.test'): Told {
  const defaults: ForwardedOptions = { trust: init.trust ?? [], read: 'either', send: 'both', via: 'headrace' }
  const forwarding = new Forwarding({ ...defaults, ...options })
  const exchange = makeExchange(init)
  exchange.authority = authority
  forwarding.identify(exchange)
  const out: string[] = []
  forwarding.addTo(out, exchange)
  const sent = Object.fromEntries(out.flatMap((name, i) => (i % 2 === 0 ? [[name, out[i + 1] as string]] : [])))
  return { id: exchange.requestId, client: exchange.clientAddress, scheme: exchange.scheme, sent }
}

const CLAIMS = [
  ['X-Forwarded-For', '203.0.113.5, 10.0.0.9'],
  ['X-Forwarded-Proto', 'HTTPS'],
  ['X-Forwarded-Host', 'public.test'],
  ['Forwarded', 'for=203.0.113.5;proto=https'],
  ['X-Request-Id', 'their-id'],
].flat()

void test('a stranger is not believed: its fields are replaced', (t) => {
  const told = tell({ fields: CLAIMS, address: '198.51.100.1' })
  t.match(told, { client: '198.51.100.1', scheme: 'http' })
  t.not(told.id, 'their-id')
  t.strictSame(told.sent, {
    via: '1.1 headrace',
    'x-request-id': told.id,
    'x-forwarded-for': '198.51.100.1',
    'x-forwarded-proto': 'http',
    'x-forwarded-host': 'gateway.test',
    forwarded: 'for=198.51.100.1;host="gateway.test";proto=http',
  })
  t.end()
})

void test('a trusted proxy is believed, and its chain goes on with its address at the end', (t) => {
  const told = tell({ fields: CLAIMS, address: '10.0.0.1', trust: ['10.0.0.0/8'] })
  t.match(told, { client: '203.0.113.5', scheme: 'https', id: 'their-id' })
  t.match(told.sent, {
    'x-request-id': 'their-id',
    'x-forwarded-for': '203.0.113.5, 10.0.0.9, 10.0.0.1',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'public.test',
    forwarded: 'for=203.0.113.5;host="public.test";proto=https, for=10.0.0.1;host="gateway.test";proto=http',
  })
  t.end()
})

const FORWARDED = 'for=6.6.6.6, for=203.0.113.5;host=public.test;proto=https, for="[2001:db8::2]"'
const OWN = 'for=10.0.0.1;host="gateway.test";proto=http'
const PROXY: ExchangeInit = { address: '10.0.0.1', trust: ['10.0.0.0/8', '2001:db8::/32'] }

void test('Forwarded is read where no X-Forwarded-* is there; these then name the client and the last proxy', (t) => {
  const told = tell({ ...PROXY, fields: ['Forwarded', FORWARDED] })
  t.match(told, { client: '203.0.113.5', scheme: 'https' })
  t.match(told.sent, {
    'x-forwarded-for': '203.0.113.5, 10.0.0.1',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'public.test',
    forwarded: `${FORWARDED}, ${OWN}`,
  })
  t.end()
})

void test('of the two families one is read, and nothing of the other goes on', (t) => {
  const both = ['X-Forwarded-For', '198.51.100.7', 'Forwarded', FORWARDED]
  const x = tell({ ...PROXY, fields: both })
  t.match(x, { client: '198.51.100.7', scheme: 'http' })
  t.equal(x.sent['forwarded'], `for=198.51.100.7;proto=http, ${OWN}`)
  t.strictSame(tell({ ...PROXY, fields: both }, { read: 'x-forwarded' }).sent['forwarded'], x.sent['forwarded'])

  const forwarded = tell({ ...PROXY, fields: [...both, 'X-Forwarded-Host', 'evil.test'] }, { read: 'forwarded' })
  t.match(forwarded, { client: '203.0.113.5', scheme: 'https' })
  t.equal(forwarded.sent['x-forwarded-for'], '203.0.113.5, 10.0.0.1')
  t.equal(forwarded.sent['x-forwarded-host'], 'public.test')

  for (const one of ['X-Forwarded-Proto', 'X-Forwarded-Host']) {
    const alone = tell({ ...PROXY, fields: [one, 'https', 'Forwarded', FORWARDED] })
    t.equal(alone.client, '10.0.0.1', `${one} alone is of its family`)
    t.equal(alone.sent['forwarded'], OWN)
  }
  t.equal(tell({ ...PROXY, fields: ['Forwarded', FORWARDED] }, { read: 'x-forwarded' }).client, '10.0.0.1')
  t.equal(tell({ ...PROXY, fields: ['X-Forwarded-For', '1.1.1.1'] }, { read: 'forwarded' }).client, '10.0.0.1')
  t.end()
})

void test('malformed elements, hosts and schemes are not believed and not sent on', (t) => {
  const swallowing = tell({ ...PROXY, fields: ['Forwarded', 'for=6.6.6.6;x=", for=203.0.113.5'] })
  t.equal(swallowing.client, '203.0.113.5', 'a quote that a client opened takes nothing of what stands behind it')
  t.equal(swallowing.sent['forwarded'], `for=203.0.113.5, ${OWN}`)
  const garbage = tell({ ...PROXY, fields: ['Forwarded', '<script>'] })
  t.equal(garbage.client, '10.0.0.1')
  t.match(garbage.sent, { forwarded: OWN, 'x-forwarded-for': '10.0.0.1' })
  const odd = tell({ ...PROXY, fields: ['Forwarded', 'for=203.0.113.5;host="a/b";proto=ftp'] })
  t.match(odd.sent, { 'x-forwarded-host': 'gateway.test', 'x-forwarded-proto': 'http' })
  const quote = tell({ ...PROXY, fields: ['X-Forwarded-For', '203.0.113.5', 'X-Forwarded-Host', 'a";for="b'] })
  t.equal(quote.sent['forwarded'], `for=203.0.113.5;proto=http, ${OWN}`)
  t.end()
})

void test('a client that names no host leaves no empty one in the fields', (t) => {
  const { sent } = tell({ version: '1.0', fields: [] }, {}, '')
  t.strictSame(sent, {
    via: '1.0 headrace',
    'x-request-id': sent['x-request-id'],
    'x-forwarded-for': '198.51.100.1',
    'x-forwarded-proto': 'http',
    forwarded: 'for=198.51.100.1;proto=http',
  })
  t.end()
})

void test('a trusted proxy that says nothing, or nonsense, is itself the client', (t) => {
  const trust = ['10.0.0.0/8']
  t.match(tell({ address: '10.0.0.1', trust }), { client: '10.0.0.1', scheme: 'http' })
  const nonsense = ['X-Forwarded-For', 'unknown', 'X-Forwarded-Proto', 'javascript', 'X-Request-Id', 'has spaces']
  const told = tell({ fields: nonsense, address: '10.0.0.1', trust, encrypted: true })
  t.match(told, { client: '10.0.0.1', scheme: 'https' })
  t.not(told.id, 'has spaces')
  const long = tell({ fields: ['X-Request-Id', 'x'.repeat(129)], address: '10.0.0.1', trust })
  t.ok(long.id.length < 40)
  t.end()
})

void test('IPv6 clients are quoted as RFC 7239 wants it', (t) => {
  const { sent } = tell({ address: '2001:db8::1' })
  t.equal(sent['forwarded'], 'for="[2001:db8::1]";host="gateway.test";proto=http')
  t.equal(sent['x-forwarded-for'], '2001:db8::1')
  t.end()
})

void test('one family of fields can be chosen', (t) => {
  t.strictSame(Object.keys(tell({}, { send: 'forwarded' }).sent), ['via', 'x-request-id', 'forwarded'])
  t.notOk('forwarded' in tell({}, { send: 'x-forwarded' }).sent)
  t.end()
})

void test('Via goes on with the protocol that came in', (t) => {
  const { sent } = tell({ fields: ['Via', '2 edge'], version: '1.0' })
  t.equal(sent['via'], '2 edge, 1.0 headrace')
  t.end()
})

void test('request ids are unique, and no two processes share them', (t) => {
  const forwarding = new Forwarding({ trust: [], read: 'either', send: 'both', via: 'headrace' })
  const idOf = (one: Forwarding): string => {
    const exchange = makeExchange()
    one.identify(exchange)
    return exchange.requestId
  }
  const ids = Array.from({ length: 500 }, () => idOf(forwarding))
  t.equal(new Set(ids).size, 500)
  const prefix = (id: string | undefined): string => String(id).slice(0, 8)
  t.not(prefix(idOf(new Forwarding({ trust: [], read: 'either', send: 'both', via: 'headrace' }))), prefix(ids[0]))
  t.end()
})

void test('passes through a gateway of this name are counted, whatever the name holds', (t) => {
  const passes = (via: string, name = 'headrace'): number =>
    new Forwarding({ trust: [], read: 'either', send: 'both', via: name }).passes(
      makeExchange({ fields: ['Via', via] }),
    )
  t.equal(passes('1.1 headrace'), 1)
  t.equal(passes('1.1 headrace,2 headrace , HTTP/1.0 headrace (a comment), 1.1 other'), 3)
  t.equal(passes('1.1 headrace2, 1.1 xheadrace, headrace, 1.1 other headrace'), 0)
  t.equal(passes('1.1 a.b+c', 'a.b+c'), 1)
  t.equal(passes('1.1 aXb+c', 'a.b+c'), 0)
  t.end()
})

void test('regression: a long list in Via is read once, not once from each comma', (t) => {
  const forwarding = new Forwarding({ trust: [], read: 'either', send: 'both', via: 'headrace' })
  const via = ','.repeat(32_000)
  // With the quadratic pattern one look took a second: a thousand of these would outlast the test's own timeout.
  for (let turn = 0; turn < 1_000; turn++) forwarding.passes(makeExchange({ fields: ['Via', via] }))
  t.end()
})
