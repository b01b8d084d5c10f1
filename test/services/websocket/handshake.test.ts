import { test } from 'tap'
import { acceptOf, readAnswer, readOffer } from '../../../services/websocket/handshake.ts'
import { mayConnect } from '../../../services/websocket/origin.ts'

const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const VERSION = ['Sec-WebSocket-Version', '13']
const offered = ['Sec-WebSocket-Key', KEY, ...VERSION]

void test('the example of RFC 6455 §1.3', (t) => {
  t.equal(acceptOf(KEY), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
  t.end()
})

void test('an offer', (t) => {
  const fields = [
    ...offered,
    'Sec-WebSocket-Protocol',
    'chat, superchat',
    'sec-websocket-extensions',
    'permessage-deflate; client_max_window_bits, x',
  ]
  t.same(readOffer(fields, '1.1'), {
    key: KEY,
    protocols: ['chat', 'superchat'],
    extensions: ['permessage-deflate', 'x'],
  })
  t.end()
})

void test('over HTTP/2 a key is made for the upstream', (t) => {
  const fields = [...VERSION]
  const offer = readOffer(fields, '2.0') as { key: string }
  t.equal(Buffer.from(offer.key, 'base64').length, 16)
  t.same(fields, [...VERSION, 'sec-websocket-key', offer.key])
  t.match(readOffer([...offered], '2.0'), { code: 'HR_WEBSOCKET_HANDSHAKE' })
  t.end()
})

for (const [name, fields, code] of [
  ['no version', ['Sec-WebSocket-Key', KEY], 'HR_WEBSOCKET_HANDSHAKE'],
  ['two versions', [...offered, ...VERSION], 'HR_WEBSOCKET_HANDSHAKE'],
  ['another version', ['Sec-WebSocket-Key', KEY, 'Sec-WebSocket-Version', '8'], 'HR_WEBSOCKET_VERSION'],
  ['no key', VERSION, 'HR_WEBSOCKET_HANDSHAKE'],
  ['two keys', [...offered, 'Sec-WebSocket-Key', KEY], 'HR_WEBSOCKET_HANDSHAKE'],
  ['a short key', ['Sec-WebSocket-Key', 'YQ==', ...VERSION], 'HR_WEBSOCKET_HANDSHAKE'],
  ['a key that is no base64', ['Sec-WebSocket-Key', '!'.repeat(24), ...VERSION], 'HR_WEBSOCKET_HANDSHAKE'],
  ['a subprotocol that is no token', [...offered, 'Sec-WebSocket-Protocol', 'a b'], 'HR_WEBSOCKET_HANDSHAKE'],
  ['a subprotocol twice', [...offered, 'Sec-WebSocket-Protocol', 'a, a'], 'HR_WEBSOCKET_HANDSHAKE'],
] as const) {
  void test(`no offer: ${name}`, (t) => {
    t.match(readOffer([...fields], '1.1'), { code })
    t.end()
  })
}

const offer = { key: KEY, protocols: ['chat'], extensions: ['permessage-deflate'] }
const answer = { upgrade: 'WebSocket', 'sec-websocket-accept': acceptOf(KEY) }

void test('an answer', (t) => {
  t.same(readAnswer(answer, offer), { extensions: [] })
  const full = { ...answer, 'sec-websocket-protocol': 'chat', 'sec-websocket-extensions': 'permessage-deflate; x=1' }
  t.same(readAnswer(full, offer), { extensions: ['permessage-deflate'] })
  for (const wrong of [
    { ...answer, upgrade: 'h2c' },
    { ...answer, upgrade: undefined },
    { ...answer, 'sec-websocket-accept': acceptOf('another') },
    { ...answer, 'sec-websocket-accept': undefined },
    { ...answer, 'sec-websocket-protocol': 'other' },
    { ...answer, 'sec-websocket-extensions': 'x-other' },
  ])
    t.type(readAnswer(wrong, offer), 'string')
  t.end()
})

void test('which pages may connect', (t) => {
  for (const [origin, authority, allowed, may] of [
    [undefined, 'a.test', [], true],
    ['https://a.test', 'a.test', [], true],
    ['http://a.test', 'a.test:80', [], true],
    ['https://A.test:8443', 'a.test:8443', [], true],
    ['https://a.test', 'a.test:8443', [], false],
    ['https://b.test', 'a.test', [], false],
    ['https://a.test.evil.test', 'a.test', [], false],
    ['https://b.test', 'a.test', ['https://b.test'], true],
    ['https://B.test', 'a.test', ['https://b.test'], true],
    ['http://b.test', 'a.test', ['https://b.test'], false],
    ['null', 'a.test', [], false],
    ['null', 'a.test', ['*'], true],
    ['', 'a.test', [], false],
    ['file://a.test', 'a.test', [], false],
    ['not a URL', 'a.test', [], false],
    ['http://', '', [], false],
  ] as const)
    t.equal(mayConnect(origin, authority, allowed), may, `${origin} at ${authority}`)
  t.end()
})
