import { once } from 'node:events'
import { type ClientHttp2Stream, constants } from 'node:http2'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { test, type Test } from 'tap'
import { request } from 'undici'
import { type ConfigInput, type Gateway, PATIENCE, startManagedGateway } from '../helper.ts'
import { until } from '../until.ts'
import { REFUSING_ORIGIN, startUpstream } from '../upstream-server.ts'
import { hashPassword } from '../../services/access/basic/password.ts'
import { keyFor } from '../services/access/given.ts'
import { frame } from '../services/websocket/frames.ts'
import {
  accepting,
  type Answer,
  type Asked,
  KEY,
  type Opened,
  openH1,
  openH2,
  startWebSocketUpstream,
  type Upgraded,
  type WebSocketUpstream,
} from '../websocket.ts'

interface SetUp {
  answer?: Answer
  route?: ConfigInput
  /** Beside `origin`. */
  upstreams?: ConfigInput
  config?: ConfigInput
}

interface Running {
  gateway: Gateway
  upstream: WebSocketUpstream
  open: (protocol: 'h1' | 'h2', asked?: Omit<Asked, 'port'>) => Promise<Opened>
  both: (protocol: 'h1' | 'h2', asked?: Omit<Asked, 'port'>) => Promise<{ client: Opened; server: Upgraded }>
}

async function start(t: Test, { answer, route, upstreams, config }: SetUp = {}): Promise<Running> {
  const upstream = await startWebSocketUpstream(t, answer)
  const gateway = await startManagedGateway(t, {
    upstreams: {
      origin: { targets: [upstream.origin], timeout: { connect: '8s', firstByte: '8s', idle: '8s' } },
      ...upstreams,
    },
    routes: { '/*': { to: 'origin', ...route } },
    ...config,
  })
  const open: Running['open'] = (protocol, asked = {}) =>
    (protocol === 'h1' ? openH1 : openH2)(t, { port: gateway.ports.cleartext, ...asked })
  const both: Running['both'] = async (protocol, asked) => {
    const [client, server] = await Promise.all([open(protocol, asked), upstream.next()])
    return { client, server }
  }
  return { gateway, upstream, open, both }
}

const everyProtocol = (name: string, body: (t: Test, protocol: 'h1' | 'h2') => Promise<void>): void => {
  for (const protocol of ['h1', 'h2'] as const) {
    void test(`${name} (${protocol})`, { timeout: PATIENCE }, (t) => body(t, protocol))
  }
}

void test("Node's own client speaks through the gateway", { timeout: PATIENCE }, async (t) => {
  const { gateway, upstream } = await start(t, { answer: accepting({ 'sec-websocket-protocol': 'chat' }) })
  const client = new WebSocket(`ws://127.0.0.1:${gateway.ports.cleartext}/a?b=c`, ['chat', 'other'])
  client.binaryType = 'arraybuffer'
  const [server] = await Promise.all([upstream.next(), once(client, 'open')])
  t.equal(client.protocol, 'chat')
  t.equal(server.request.url, '/a?b=c')
  t.match(server.request.headers, { via: '1.1 headrace', 'x-forwarded-for': '127.0.0.1', 'x-request-id': String })
  client.send('hello')
  t.same((await server.frames.next())?.payload.toString(), 'hello')
  const large = Buffer.alloc(200_000, 'x')
  client.send(large)
  t.ok((await server.frames.next())?.payload.equals(large))
  const message = once(client, 'message')
  server.frames.send({ opcode: 2, payload: large })
  const [{ data }] = (await message) as [{ data: ArrayBuffer }]
  t.ok(Buffer.from(data).equals(large))
  const closed = once(client, 'close')
  client.close(4001, 'bye')
  const close = await server.frames.next()
  t.equal(close?.payload.readUInt16BE(), 4001)
  server.frames.send({ opcode: 8, payload: close?.payload ?? '' })
  server.socket.end()
  t.match(await closed, [{ code: 4001, wasClean: true }])
})

everyProtocol('frames go both ways, and the handshake is the upstream’s own', async (t, protocol) => {
  const { both } = await start(t, { answer: accepting({ 'set-cookie': 'a=1', 'x-kept': 'kept' }) })
  const { client, server } = await both(protocol, {
    path: '/chat',
    fields: { Cookie: 'sid=7', Origin: 'http://gateway.test' },
  })
  t.equal(client.status, protocol === 'h1' ? 101 : 200)
  t.match(client.fields, { 'x-kept': 'kept', via: '1.1 headrace', 'x-request-id': String })
  t.equal('sec-websocket-accept' in client.fields, protocol === 'h1')
  t.match(server.request.headers, { cookie: 'sid=7', upgrade: 'websocket', 'sec-websocket-version': '13' })
  t.notOk(server.request.headers[':protocol'])
  client.frames.send({ payload: 'one' })
  t.equal((await server.frames.next())?.payload.toString(), 'one')
  server.frames.send({ payload: 'two' })
  t.equal((await client.frames.next())?.payload.toString(), 'two')
  server.frames.send({ opcode: 8 })
  t.equal((await client.frames.next())?.opcode, 8)
  client.frames.send({ opcode: 8 })
  t.equal((await server.frames.next())?.opcode, 8)
  server.socket.end()
  t.equal(await client.frames.next(), null)
})

void test('frames that come with the handshake are not lost', { timeout: PATIENCE }, async (t) => {
  const { both } = await start(t)
  const { server } = await both('h1', { early: frame({ masked: true, payload: 'at once' }) })
  t.equal((await server.frames.next())?.payload.toString(), 'at once')
})

everyProtocol('what the upstream answers instead goes to the client', async (t, protocol) => {
  const { open } = await start(t, {
    answer: (_request, socket) => {
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\nX-Why: tired\r\nConnection: close\r\n\r\nnot me')
      return false
    },
  })
  const client = await open(protocol)
  t.equal(client.status, 403)
  t.equal(client.fields['x-why'], 'tired')
  t.equal(await client.body(), 'not me')
})

const acme = keyFor()
const ACCESS = { consumers: { acme: { keys: [acme.entry], scopes: ['chat'] } } }
const withKey = { 'X-Api-Key': acme.key }
const basic = (password: string) => ({ Authorization: `Basic ${Buffer.from(`acme:${password}`).toString('base64')}` })

type Refused = [name: string, Omit<Asked, 'port'>, status: number, code: string, SetUp?]

/** What HTTP/2 has no such thing of: a key, and a body beside the frames. */
const OF_H1: Refused[] = [
  ['no key', { fields: { 'Sec-WebSocket-Key': null } }, 400, 'HR_WEBSOCKET_HANDSHAKE'],
  ['a body', { fields: { 'Content-Length': '3' }, early: Buffer.from('abc') }, 501, 'HR_UPGRADE_UNSUPPORTED'],
]

const OF_BOTH: Refused[] = [
  ['another version', { fields: { 'Sec-WebSocket-Version': '8' } }, 426, 'HR_WEBSOCKET_VERSION'],
  ['a page of another origin', { fields: { Origin: 'https://evil.test' } }, 403, 'HR_WEBSOCKET_ORIGIN'],
  ['a route without it', {}, 501, 'HR_UPGRADE_UNSUPPORTED', { route: { websocket: false } }],
  [
    'a route that the gateway answers by itself',
    {},
    501,
    'HR_UPGRADE_UNSUPPORTED',
    { config: { routes: { '/*': { answer: { body: 'x' } } } } },
  ],
  [
    'a mocked route',
    {},
    501,
    'HR_UPGRADE_UNSUPPORTED',
    {
      route: { mock: true },
      config: { upstreams: { origin: { targets: [REFUSING_ORIGIN], openapi: '/openapi.json' } } },
    },
  ],
  ['a page of the gateway', { path: '/health' }, 404, 'HR_ROUTE_NOT_FOUND'],
  ['a path outside', { path: '/..' }, 400, 'HR_REQUEST_TARGET'],
  ['nobody, where the route asks who calls', {}, 401, 'HR_ACCESS_REQUIRED', guarded({ by: ['key'] })],
  [
    'a key that does not hold',
    { fields: { 'X-Api-Key': `${acme.key}x` } },
    401,
    'HR_ACCESS_INVALID',
    guarded({ by: ['key'] }),
  ],
  [
    'a caller who may not',
    { fields: withKey },
    403,
    'HR_ACCESS_FORBIDDEN',
    guarded({ by: ['key'], scopes: ['admin'] }),
  ],
  [
    'an address that may not',
    { fields: withKey },
    403,
    'HR_ACCESS_ADDRESS',
    guarded({ by: ['key'], addresses: { deny: ['loopback'] } }),
  ],
]

/** A route with `access`. */
function guarded(access: ConfigInput): SetUp {
  return { route: { access }, config: { access: ACCESS } }
}

for (const protocol of ['h1', 'h2'] as const) {
  for (const [name, asked, status, code, setUp] of protocol === 'h1' ? [...OF_H1, ...OF_BOTH] : OF_BOTH) {
    void test(`refused, and the upstream does not hear of it: ${name} (${protocol})`, {
      timeout: PATIENCE,
    }, async (t) => {
      const { open, upstream } = await start(t, setUp)
      const client = await open(protocol, asked)
      t.equal(client.status, status)
      if (protocol === 'h1') t.equal(client.fields.connection, 'close')
      if (status === 426) t.equal(client.fields['sec-websocket-version'], '13')
      if (status === 401) t.match(client.fields['www-authenticate'], /^ApiKey /)
      t.match(JSON.parse(await client.body()), { status, code })
      t.equal(upstream.requests.length, 0)
    })
  }
}

everyProtocol('who may, gets through, and the upstream is told who, but not by what', async (t, protocol) => {
  const { both, open, upstream } = await start(t, {
    route: { access: { by: ['key', 'basic'], scopes: ['chat'] } },
    config: {
      access: {
        consumers: { acme: { ...ACCESS.consumers.acme, password: await hashPassword('a long enough one') } },
      },
    },
  })
  // A key is known at once, a password when it has been computed.
  for (const fields of [withKey, basic('a long enough one')]) {
    const { client, server } = await both(protocol, { fields })
    t.equal(client.status, protocol === 'h1' ? 101 : 200)
    const { headers } = server.request
    t.match(headers, { 'x-consumer-id': 'acme', 'x-consumer-scopes': 'chat' })
    t.notOk('x-api-key' in headers || 'authorization' in headers)
    client.frames.send({ payload: 'in' })
    t.equal((await server.frames.next())?.payload.toString(), 'in')
  }
  t.equal((await open(protocol, { fields: basic('another') })).status, 401)
  t.equal(upstream.requests.length, 2)
})

everyProtocol('a handshake counts for the limit of its consumer', async (t, protocol) => {
  const { both, open, gateway, upstream } = await start(t, {
    route: { access: { by: ['key'] }, rateLimit: { rate: '1/h', by: 'consumer' } },
    config: { access: ACCESS },
  })
  await both(protocol, { fields: withKey })
  const refused = await open(protocol, { fields: withKey })
  t.equal(refused.status, 429)
  t.match(refused.fields['retry-after'], /^\d+$/)
  t.match(JSON.parse(await refused.body()), { code: 'HR_RATE_LIMITED' })
  const client = await gateway.client(protocol === 'h1' ? 'h1' : 'h2c')
  const asked = await client.request({ path: '/', fields: [['X-Api-Key', acme.key]] })
  t.equal(asked.status, 429, 'and so does any request')
  t.equal(upstream.requests.length, 1)
})

everyProtocol('pages of other origins may connect where the route names them', async (t, protocol) => {
  const { open, both } = await start(t, { route: { websocket: { origins: ['https://app.test'] } } })
  const { client } = await both(protocol, { fields: { Origin: 'https://app.test' } })
  t.equal(client.status, protocol === 'h1' ? 101 : 200)
  const refused = await open(protocol, { fields: { Origin: 'https://evil.test' } })
  t.equal(refused.status, 403)
})

void test('as many as the route lets be open; a closed one makes room', { timeout: PATIENCE }, async (t) => {
  const { open, both } = await start(t, { route: { websocket: { connections: 1 } } })
  const first = await both('h1')
  const refused = await open('h1')
  t.equal(refused.status, 503)
  t.equal(refused.fields['retry-after'], '5')
  t.match(JSON.parse(await refused.body()), { code: 'HR_WEBSOCKET_LIMIT' })
  first.server.socket.end()
  t.equal(await first.client.frames.next(), null)
  first.client.frames.duplex.end()
  // The gateway books the end once both ends are over.
  await once(first.server.socket, 'close')
  for (;;) if ((await open('h1')).status === 101) break
})

for (const [name, answer] of [
  ['an accept that is not the key’s', accepting({ 'sec-websocket-accept': 'x' })],
  ['a subprotocol that was not offered', accepting({ 'sec-websocket-protocol': 'x' })],
  ['another protocol', accepting({ upgrade: 'h2c' })],
] satisfies [string, Answer][]) {
  everyProtocol(`an upstream that answers with ${name} is 502`, async (t, protocol) => {
    const { open } = await start(t, { answer })
    const client = await open(protocol)
    t.equal(client.status, 502)
    t.match(JSON.parse(await client.body()), { code: 'HR_UPSTREAM_INVALID_RESPONSE' })
  })
}

everyProtocol('an upstream that cannot be reached is 502, one that says nothing 504', async (t, protocol) => {
  const asked = Promise.withResolvers<void>()
  const silent = await start(t, {
    answer: () => {
      asked.resolve()
      return false
    },
    route: { timeout: { firstByte: '300ms' } },
  })
  const late = await silent.open(protocol)
  await asked.promise
  t.equal(late.status, 504)
  const away = await start(t, { config: { upstreams: { origin: { targets: [REFUSING_ORIGIN] } } } })
  t.equal((await away.open(protocol)).status, 502)
})

everyProtocol(
  'a client that breaks the protocol is told so, and its upstream that it has left',
  async (t, protocol) => {
    const { both } = await start(t)
    const { client, server } = await both(protocol)
    client.frames.send({ payload: 'sound' })
    t.equal((await server.frames.next())?.payload.toString(), 'sound')
    client.frames.send({ payload: 'not masked', masked: false })
    t.equal(await client.frames.closeCode(), 1002)
    t.equal(await server.frames.closeCode(), 1001)
    t.equal(await server.frames.next(), null)
  },
)

everyProtocol('a message too large is 1009', async (t, protocol) => {
  const { both } = await start(t, { route: { websocket: { maxMessage: '1KiB' } } })
  const { client, server } = await both(protocol)
  client.frames.send({ payload: 'x'.repeat(1024) })
  t.equal((await server.frames.next())?.payload.length, 1024)
  client.frames.send({ payload: 'x'.repeat(1025) })
  t.equal(await client.frames.closeCode(), 1009)
  t.equal(await server.frames.closeCode(), 1001)
})

everyProtocol(
  'an upstream that breaks the protocol is told so, and its client that it has left',
  async (t, protocol) => {
    const { both } = await start(t)
    const { client, server } = await both(protocol)
    server.frames.send({ opcode: 3 })
    t.equal(await server.frames.closeCode(), 1002)
    t.equal(await client.frames.closeCode(), 1001)
  },
)

everyProtocol('a connection on which nothing is said ends', async (t, protocol) => {
  const { both } = await start(t, { route: { timeout: { streamIdle: '300ms' } } })
  const { client, server } = await both(protocol)
  t.equal(await client.frames.closeCode(), 1001)
  t.equal(await server.frames.closeCode(), 1001)
})

everyProtocol('while the gateway drains, both ends are told to go', async (t, protocol) => {
  const { both, gateway } = await start(t, { config: { drainTimeout: '20s' } })
  const { client, server } = await both(protocol)
  const closed = gateway.close()
  t.equal(await client.frames.closeCode(), 1001)
  t.equal(await server.frames.closeCode(), 1001)
  client.frames.duplex.end()
  server.socket.end()
  await closed
})

/** Adds a target to the upstream `origin`, or removes one. */
async function change({ adminUrl, token }: Gateway, target: string, state: 'active' | 'removed'): Promise<void> {
  const { ok } = await fetch(`${adminUrl}/performance/pools/targets`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ upstream: 'origin', target, state }),
  })
  if (!ok) throw new Error('the control plane has refused')
}

everyProtocol('a target that is removed has its connections until its time is over', async (t, protocol) => {
  const server = await startWebSocketUpstream(t)
  const { gateway, open } = await start(t, { upstreams: { origin: { targets: [server.origin], drainTimeout: '2s' } } })
  const [client, upgraded] = await Promise.all([open(protocol), server.next()])
  await change(gateway, server.origin, 'removed')
  client.frames.send({ payload: 'still' })
  t.equal((await upgraded.frames.next())?.payload.toString(), 'still')
  t.equal(await client.frames.closeCode(), 1001)
  t.equal(await upgraded.frames.closeCode(), 1001)
})

void test('a removed target whose last connection ends is gone; one that comes back keeps it', {
  timeout: PATIENCE,
}, async (t) => {
  const server = await startWebSocketUpstream(t)
  const { gateway, open } = await start(t, { upstreams: { origin: { targets: [server.origin], drainTimeout: '5m' } } })
  const [client, upgraded] = await Promise.all([open('h1'), server.next()])
  const targets = async (): Promise<number> => {
    const { adminUrl, token } = gateway
    const answer = await fetch(`${adminUrl}/performance/pools`, { headers: { authorization: `Bearer ${token}` } })
    return ((await answer.json()) as { pools: unknown[] }).pools.length
  }
  await change(gateway, server.origin, 'removed')
  await change(gateway, server.origin, 'active')
  await change(gateway, server.origin, 'removed')
  t.equal(await targets(), 1)
  client.frames.duplex.end()
  upgraded.socket.end()
  await until(async () => (await targets()) === 0)
})

void test('an open connection is work for its target, and takes none of its pool', { timeout: PATIENCE }, async (t) => {
  const busy = await startWebSocketUpstream(t)
  const idle = await startUpstream(t, (exchange) => exchange.respond(200, [], 'idle'))
  const { gateway, open } = await start(t, {
    upstreams: { origin: { targets: [busy.origin], connections: 1, queue: 0 } },
  })
  const [client, upgraded] = await Promise.all([open('h1'), busy.next()])
  const asker = await gateway.client('h1')
  const ask = async (): Promise<string> => (await asker.request({ path: '/' })).body.toString()
  t.equal(await ask(), 'plain')
  await change(gateway, idle.origin, 'active')
  for (let turn = 0; turn < 10; turn++) t.equal(await ask(), 'idle')
  client.frames.duplex.end()
  upgraded.socket.end()
  await until(async () => (await ask()) === 'plain')
})

everyProtocol('a client that is gone ends its upstream, and the other way round', async (t, protocol) => {
  const { both } = await start(t)
  const one = await both(protocol)
  one.client.frames.duplex.destroy()
  t.equal(await one.server.frames.next(), null)
  const other = await both(protocol)
  other.server.socket.resetAndDestroy()
  t.equal(await other.client.frames.next(), null)
})

void test('over HTTP/2 an upstream that resets its connection resets the stream, and one that ends it does not', {
  timeout: PATIENCE,
}, async (t) => {
  const { both } = await start(t)
  for (const [end, code] of [
    [(socket: Socket) => void socket.resetAndDestroy(), constants.NGHTTP2_CANCEL],
    [(socket: Socket) => void socket.end(), constants.NGHTTP2_NO_ERROR],
  ] as const) {
    const { client, server } = await both('h2')
    const stream = client.frames.duplex as ClientHttp2Stream
    const closed = once(stream, 'close')
    end(server.socket)
    t.equal(await client.frames.next(), null)
    stream.end()
    await closed
    t.equal(stream.rstCode, code)
  }
})

void test('a client that leaves within the handshake ends the one to its upstream', {
  timeout: PATIENCE,
}, async (t) => {
  const left = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  const { gateway } = await start(t, {
    answer: (_request, socket) => {
      socket.once('end', () => left.resolve()).resume()
      asked.resolve()
      return false
    },
  })
  const raw = await gateway.raw()
  await raw.send(
    'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  )
  await asked.promise
  raw.reset()
  await left.promise
})

everyProtocol('a client that does not read holds its upstream back', async (t, protocol) => {
  const { both } = await start(t, { route: { websocket: { maxMessage: '1GiB' } } })
  const { client, server } = await both(protocol)
  client.frames.duplex.pause()
  const piece = frame({ masked: false, opcode: 2, payload: Buffer.alloc(1_000_000) })
  const total = 64
  let sent = 0
  // The first piece may stand still already.
  server.socket.setTimeout(500)
  while (sent < total && server.socket.write(piece)) sent++
  // Writes are taken by the kernel until the gateway reads no more.
  while (sent < total) {
    const moved = await Promise.race([
      once(server.socket, 'drain').then(() => true),
      once(server.socket, 'timeout').then(() => false),
    ])
    if (!moved) break
    sent++
    server.socket.write(piece)
  }
  t.ok(sent < total, `${sent} of ${total} MB were taken`)
  client.frames.duplex.resume()
  for (let i = 0; i < sent; i++) t.equal((await client.frames.next())?.payload.length, 1_000_000)
})

void test('early hits do not stand in the way', { timeout: PATIENCE }, async (t) => {
  const { gateway, upstream, both } = await start(t, { route: { cache: true }, config: { cache: { early: true } } })
  const client = await gateway.client('h1')
  t.equal((await client.request({ path: '/' })).status, 200)
  const { client: opened, server } = await both('h1')
  opened.frames.send({ payload: 'hello' })
  t.equal((await server.frames.next())?.payload.toString(), 'hello')
  t.equal(upstream.requests.length, 1)
})

everyProtocol(
  'a split sends a client to a side by its rules, and keeps it there by its cookie',
  async (t, protocol) => {
    const side = (name: string): Answer => accepting({ 'x-side': name })
    const next = await startWebSocketUpstream(t, side('next'))
    const { open } = await start(t, {
      answer: side('origin'),
      upstreams: { next: { targets: [next.origin] } },
      route: {
        to: {
          split: { origin: 1, next: 1 },
          rules: [
            { header: 'x-canary', is: '1', to: 'next' },
            { header: 'x-canary', is: '0', to: 'origin' },
          ],
          sticky: {},
        },
      },
    })
    for (const [canary, name] of [
      ['1', 'next'],
      ['0', 'origin'],
    ] as const) {
      const { status, fields } = await open(protocol, { fields: { 'X-Canary': canary } })
      t.equal(status, protocol === 'h1' ? 101 : 200)
      t.equal(fields['x-side'], name)
      t.notOk(fields['set-cookie'])
    }
    const sides = new Set<string | undefined>()
    for (let i = 0; i < 40; i++) {
      const first = await open(protocol)
      const cookie = String(first.fields['set-cookie'])
      t.match(cookie, /^headrace-side=[0-9a-z]{5}; Path=\/; HttpOnly; SameSite=Lax$/)
      const again = await open(protocol, { fields: { Cookie: cookie.split(';')[0] as string } })
      t.equal(again.fields['x-side'], first.fields['x-side'])
      t.notOk(again.fields['set-cookie'])
      sides.add(first.fields['x-side'])
    }
    t.equal(sides.size, 2, 'one in 2⁴⁰ runs draws the same side each time')
  },
)

everyProtocol('maintenance refuses new connections, and lets open ones be', async (t, protocol) => {
  const { gateway, open, both, upstream } = await start(t, { config: { maintenance: { retryAfter: '2m' } } })
  const switchTo = async (enabled: boolean): Promise<void> => {
    const { statusCode, body } = await request(`${gateway.adminUrl}/performance/maintenance`, {
      method: 'PUT',
      headers: { authorization: 'Bearer test-token', 'content-type': 'application/json' },
      body: JSON.stringify({ enabled, route: '/*' }),
    })
    await body.dump()
    t.equal(statusCode, 200)
  }
  const before = await both(protocol)
  await switchTo(true)
  const refused = await open(protocol)
  t.equal(refused.status, 503)
  t.equal(refused.fields['retry-after'], '120')
  t.match(JSON.parse(await refused.body()), { code: 'HR_MAINTENANCE' })
  t.equal(upstream.requests.length, 1)
  before.client.frames.send({ payload: 'still' })
  t.equal((await before.server.frames.next())?.payload.toString(), 'still')
  await switchTo(false)
  t.equal((await both(protocol)).client.status, protocol === 'h1' ? 101 : 200)
})

/** A handshake on a connection that a test goes on writing to. */
const HANDSHAKE =
  'GET / HTTP/1.1\r\nHost: gateway.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  `Sec-WebSocket-Key: ${KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n`

/** An upstream that answers once it is told to. */
function held(): { answer: Answer; asked: Promise<void>; release: () => void } {
  const asked = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  const answer: Answer = (request, socket) => {
    asked.resolve()
    void release.promise.then(() => accepting()(request, socket))
    return true
  }
  return { answer, asked: asked.promise, release: () => release.resolve() }
}

void test('what a client sends before it is answered is passed on whole', { timeout: PATIENCE }, async (t) => {
  const { answer, asked, release } = held()
  const { gateway, upstream } = await start(t, { answer })
  const client = await gateway.raw()
  const message = frame({ masked: true, opcode: 2, payload: Buffer.alloc(200_000, 'x') })
  void client.send(Buffer.concat([Buffer.from(HANDSHAKE), message.subarray(0, 100)]))
  await asked
  await client.send(message.subarray(100))
  // The gateway's answer to another request is behind what it has read of this one.
  await (await gateway.client('h1')).request({ path: '/' })
  release()
  const server = await upstream.next()
  t.equal((await server.frames.next())?.payload.length, 200_000)
})

void test('a client that ends its side before it is answered ends it there too', { timeout: PATIENCE }, async (t) => {
  const { answer, asked, release } = held()
  const { gateway, upstream } = await start(t, { answer })
  const client = connect({ port: gateway.ports.cleartext, host: '127.0.0.1', allowHalfOpen: true })
  t.teardown(() => client.destroy())
  client.end(HANDSHAKE)
  await asked
  await (await gateway.client('h1')).request({ path: '/' })
  release()
  const server = await upstream.next()
  t.equal(await server.frames.next(), null, 'the upstream hears of it')
  server.socket.end(frame({ masked: false, payload: 'last word' }))
  const read: Buffer[] = []
  for await (const chunk of client) read.push(chunk as Buffer)
  t.match(Buffer.concat(read).toString('latin1'), /last word$/)
})

void test('no more get open than may be, however many ask at once', { timeout: PATIENCE }, async (t) => {
  const { answer, asked, release } = held()
  const { open, upstream } = await start(t, { answer, route: { websocket: { connections: 1 } } })
  const first = open('h1')
  await asked
  t.equal((await open('h1')).status, 503)
  t.equal((await open('h2')).status, 503)
  release()
  const { status, frames } = await first
  t.equal(status, 101)
  frames.duplex.end()
  await upstream.next().then(({ socket }) => once(socket.end(), 'close'))
})

void test('who does not get through has no share of what may be open', { timeout: PATIENCE }, async (t) => {
  const answers: Answer[] = [
    (_request, socket) => (socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n'), false),
    (_request, socket) => (socket.destroy(), false),
    (_request, socket) => (socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n'), false),
  ]
  const answer: Answer = (request, socket) => (answers.shift() ?? accepting())(request, socket)
  const { open } = await start(t, { answer, route: { websocket: { connections: 1 }, retry: false } })
  for (const status of [403, 502, 502, 101]) t.equal((await open('h1')).status, status)
})

void test('a 101 that switches nothing is no answer, to a plain request neither', { timeout: PATIENCE }, async (t) => {
  const origin = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => socket.write('HTTP/1.1 101 Switching Protocols\r\nx-a: b\r\n\r\n'))
  })
  origin.listen(0, '127.0.0.1')
  await once(origin, 'listening')
  t.teardown(() => origin.close())
  const gateway = await startManagedGateway(t, {
    upstreams: { origin: { targets: [`http://127.0.0.1:${(origin.address() as AddressInfo).port}`] } },
    routes: { '/*': { to: 'origin' } },
  })
  const client = await gateway.raw()
  const { status } = await client.exchange('GET / HTTP/1.1\r\nHost: gateway.test\r\n\r\n')
  t.equal(status, 502)
  t.equal((await openH1(t, { port: gateway.ports.cleartext })).status, 502)
})

void test('a client that is refused and never ends is left', { timeout: PATIENCE }, async (t) => {
  const { gateway } = await start(t, { route: { websocket: { connections: 1 } } })
  const client = connect({ port: gateway.ports.cleartext, host: '127.0.0.1', allowHalfOpen: true })
  client.write(HANDSHAKE.replace('Version: 13', 'Version: 12'))
  client.resume()
  await once(client, 'end')
  // What is written to a connection that is gone resets it; until then it is taken, and thrown away.
  const writing = setInterval(() => client.write('x'), 50)
  const [error] = (await once(client, 'error')) as [NodeJS.ErrnoException]
  clearInterval(writing)
  t.match(error.code, /^(ECONNRESET|EPIPE)$/)
})
