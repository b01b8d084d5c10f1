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

function tell(init: ExchangeInit, options: Partial<ForwardedOptions> = {}): Told {
  const settings = { trust: init.trust ?? [], send: 'both', via: 'headrace', ...options } satisfies ForwardedOptions
  const forwarding = new Forwarding(settings)
  const exchange = makeExchange(init)
  exchange.authority = 'gateway.test'
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
    forwarded: 'for=203.0.113.5;proto=https, for=10.0.0.1;host="gateway.test";proto=http',
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
  const forwarding = new Forwarding({ trust: [], send: 'both', via: 'headrace' })
  const idOf = (one: Forwarding): string => {
    const exchange = makeExchange()
    one.identify(exchange)
    return exchange.requestId
  }
  const ids = Array.from({ length: 500 }, () => idOf(forwarding))
  t.equal(new Set(ids).size, 500)
  const prefix = (id: string | undefined): string => String(id).slice(0, 8)
  t.not(prefix(idOf(new Forwarding({ trust: [], send: 'both', via: 'headrace' }))), prefix(ids[0]))
  t.end()
})

void test('passes through a gateway of this name are counted, whatever the name holds', (t) => {
  const passes = (via: string, name = 'headrace'): number =>
    new Forwarding({ trust: [], send: 'both', via: name }).passes(makeExchange({ fields: ['Via', via] }))
  t.equal(passes('1.1 headrace'), 1)
  t.equal(passes('1.1 headrace,2 headrace , HTTP/1.0 headrace (a comment), 1.1 other'), 3)
  t.equal(passes('1.1 headrace2, 1.1 xheadrace, headrace, 1.1 other headrace'), 0)
  t.equal(passes('1.1 a.b+c', 'a.b+c'), 1)
  t.equal(passes('1.1 aXb+c', 'a.b+c'), 0)
  t.end()
})

void test('regression: a long list in Via is read once, not once from each comma', (t) => {
  const forwarding = new Forwarding({ trust: [], send: 'both', via: 'headrace' })
  const via = ','.repeat(32_000)
  // With the quadratic pattern one look took a second: a thousand of these would outlast the test's own timeout.
  for (let turn = 0; turn < 1_000; turn++) forwarding.passes(makeExchange({ fields: ['Via', via] }))
  t.end()
})
