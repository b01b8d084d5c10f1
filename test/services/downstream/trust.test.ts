import { test } from 'tap'
import { readForwarded } from '../../../services/downstream/forwarded.ts'
import { TrustedProxies } from '../../../services/downstream/trust.ts'

void test('addresses, blocks and the two words say who is trusted', (t) => {
  const trust = new TrustedProxies(['loopback', 'private', '203.0.113.7', '2001:db8::/32', '198.51.100.0/24'])
  const inside = [
    '127.0.0.1',
    '127.9.9.9',
    '::1',
    '10.1.2.3',
    '172.31.0.1',
    '192.168.1.1',
    'fd00::1',
    'fe80::1',
    '203.0.113.7',
    '2001:db8::9',
    '198.51.100.255',
  ]
  for (const address of inside) t.ok(trust.includes(address), address)
  for (const address of ['203.0.113.8', '172.32.0.1', '2001:db9::1', '8.8.8.8', '198.51.101.0', 'unknown', '']) {
    t.notOk(trust.includes(address), address)
  }
  t.notOk(new TrustedProxies([]).includes('127.0.0.1'), 'nobody by default')
  t.end()
})

void test('an entry that is neither is refused with the entry in the message', (t) => {
  for (const entry of [
    'localhost',
    '10.0.0.0/33',
    '10.0.0.0/x',
    '10.0.0.0/1.5',
    '::1/129',
    '',
    '1.2.3',
    '10.0.0.0/-1',
    '10.0.0.0/',
    '10.0.0.0/8/9',
  ]) {
    t.throws(() => new TrustedProxies([entry]), { code: 'HR_FORWARDED_TRUST' }, entry)
  }
  t.end()
})

void test('the client is the rightmost address that is not trusted', (t) => {
  const trust = new TrustedProxies(['10.0.0.0/8', '2001:db8::/32'])
  const rows: [peer: string, chain: string | undefined, client: string][] = [
    ['10.0.0.1', undefined, '10.0.0.1'],
    ['10.0.0.1', '203.0.113.1', '203.0.113.1'],
    ['10.0.0.1', '6.6.6.6, 203.0.113.1', '203.0.113.1'],
    ['10.0.0.1', '203.0.113.1, 10.0.0.2,10.0.0.3', '203.0.113.1'],
    ['10.0.0.1', '10.0.0.9, 10.0.0.2', '10.0.0.9'],
    ['203.0.113.9', '1.1.1.1', '203.0.113.9'],
    ['10.0.0.1', '203.0.113.1:4711', '203.0.113.1'],
    ['10.0.0.1', '[2001:db9::1]:4711, 2001:db8::2', '2001:db9::1'],
    ['10.0.0.1', '"[2001:db9::1]"', '2001:db9::1'],
    // However it is written, it is one client to limits, lists and logs.
    ['10.0.0.1', '2001:DB9:0:0::1', '2001:db9::1'],
    ['10.0.0.1', '2001:0db9::0001', '2001:db9::1'],
    ['10.0.0.1', '::ffff:203.0.113.1', '203.0.113.1'],
    ['10.0.0.1', '::FFFF:cb00:7101', '203.0.113.1'],
    ['10.0.0.1', '[0:0:0:0:0:ffff:cb00:7101]:4711, ::ffff:10.0.0.2', '203.0.113.1'],
  ]
  for (const [peer, chain, client] of rows) t.equal(trust.clientOf(peer, chain), client, `${peer} ← ${chain}`)
  t.end()
})

void test('what is no address ends the walk: nothing to its left is believed', (t) => {
  const trust = new TrustedProxies(['10.0.0.0/8'])
  for (const garbage of ['unknown', '_hidden', '', '1.2.3', '<script>', '1.2.3.4.5', '[::1', '10.0.0.300']) {
    t.equal(trust.clientOf('10.0.0.1', `203.0.113.1, ${garbage}, 10.0.0.2`), '10.0.0.2', garbage)
    t.equal(trust.clientOf('10.0.0.1', `203.0.113.1, ${garbage}`), '10.0.0.1', garbage)
  }
  t.end()
})

void test('the same walk goes over Forwarded, and takes host and scheme of the outermost trusted proxy', (t) => {
  const trust = new TrustedProxies(['10.0.0.0/8', '2001:db8::/32'])
  const rows: [peer: string, value: string, origin: [address: string, host?: string | undefined, proto?: string]][] = [
    ['10.0.0.1', 'for=203.0.113.1', ['203.0.113.1']],
    ['10.0.0.1', 'for=6.6.6.6;host=evil.test, for=203.0.113.1;proto=https', ['203.0.113.1', undefined, 'https']],
    [
      '10.0.0.1',
      'for=6.6.6.6;proto=ftp, for=203.0.113.1;host=public.test;proto=https, for=10.0.0.2;host=inner.test;proto=http',
      ['203.0.113.1', 'public.test', 'https'],
    ],
    ['10.0.0.1', 'for=203.0.113.1, for=10.0.0.2;proto=https', ['203.0.113.1', undefined, 'https']],
    ['10.0.0.1', 'for="203.0.113.1:4711"', ['203.0.113.1']],
    ['10.0.0.1', 'for="203.0.113.1:_port"', ['203.0.113.1']],
    ['10.0.0.1', 'for="[2001:db9::1]:4711", for="[2001:db8::2]"', ['2001:db9::1']],
    ['203.0.113.9', 'for=1.1.1.1;proto=https', ['203.0.113.9']],
    ['10.0.0.1', '', ['10.0.0.1']],
  ]
  for (const nobody of ['for=unknown', 'for=_hidden', 'for="_hidden:80"', 'by=_x', 'for=10.0.0.300']) {
    rows.push(['10.0.0.1', `for=203.0.113.1, ${nobody};proto=https, for=10.0.0.2`, ['10.0.0.2', undefined, 'https']])
  }
  for (const [peer, value, [address, host, proto]] of rows) {
    t.strictSame(trust.originOf(peer, readForwarded(value)), { address, host, proto }, `${peer} ← ${value}`)
  }
  t.end()
})
