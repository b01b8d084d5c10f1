import { test, type Test } from 'tap'
import type { ClientRequest, Protocol } from '../client.ts'
import { PATIENCE } from '../helper.ts'
import { BrokenResponse, type ClientResponse } from '../incoming.ts'
import { REFUSING_ORIGIN, type Script, startUpstream, type Upstream } from '../upstream-server.ts'
import type { Field } from '../wire.ts'
import { buildAndListen, type BuiltGateway } from './both-ways.ts'

/**
 * The same requests go through the lane, with and without early hits, and, where a user's hook has closed it, through
 * Fastify: status, fields, body and
 * what the upstream gets must be the same, or the lane would be a way around something.
 */
interface Way {
  gateway: BuiltGateway
  upstream: Upstream
}

type Ways = [Way, Way, Way]

const answers: Script = async (exchange) => {
  const { request } = exchange
  const path = request.target.replace(/[?].*$/, '')
  switch (path) {
    case '/reset':
      return exchange.reset()
    case '/garbage':
      return exchange.garbage()
    case '/truncated':
      return exchange.lieAboutLength(100, 'short')
    case '/hints':
      await exchange.body()
      await exchange.send('HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n')
      return exchange.respond(200, [], 'hinted')
    case '/chunked':
      await exchange.body()
      await exchange.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n')
      if (request.method === 'HEAD') return
      await exchange.chunk('in pieces')
      return exchange.lastChunk([['x-sum', '9']])
    case '/to-the-end':
      await exchange.body()
      await exchange.send('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil it closes')
      return exchange.fin()
    case '/nothing':
      await exchange.body()
      return exchange.send('HTTP/1.1 204 No Content\r\nX-Kept: 1\r\n\r\n')
    case '/same':
      await exchange.body()
      return exchange.send('HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n')
    case '/moved':
      return exchange.respond(302, [
        ['Location', '/elsewhere?x=1'],
        ['Set-Cookie', 'a=1; Path=/'],
        ['Set-Cookie', 'b=2; Path=/sub'],
      ])
    case '/hop':
      return exchange.respond(200, [
        ['Connection', 'X-Hop, keep-alive'],
        ['X-Hop', 'dropped'],
        ['Keep-Alive', 'timeout=5'],
        ['X-Kept', 'kept'],
        ['X-Request-Id', 'theirs'],
      ])
    case '/cached/fresh':
      return exchange.respond(
        200,
        [
          ['Cache-Control', 'max-age=600'],
          ['ETag', '"1"'],
          ['Vary', 'X-A'],
          ['Age', '3'],
          ['Cache-Status', 'edge; hit'],
        ],
        'x'.repeat(5000),
      )
    case '/cached/large':
      return exchange.respond(200, [['Cache-Control', 'max-age=600']], Buffer.alloc(300_000, 'a'))
    case '/cached/private':
      return exchange.respond(200, [['Cache-Control', 'private']], 'private')
    case '/cached/validated':
      if (request.get('if-none-match') !== undefined) return exchange.respond(304, [['ETag', '"1"']], '')
      return exchange.respond(
        200,
        [
          ['Cache-Control', 'no-cache, max-age=60'],
          ['ETag', '"1"'],
        ],
        'body',
      )
    case '/cached/truncated':
      return exchange.lieAboutLength(100, 'short')
    case '/cached/reset':
      return exchange.reset()
    case '/failure':
      return exchange.respond(500, [['Content-Type', 'text/html']], '<h1>broken</h1>')
    default:
      return exchange.respond(
        200,
        [['Content-Type', 'text/plain; charset=utf-8']],
        `${request.method} ${request.target}`,
      )
  }
}

/** Nothing that counts seconds: two ways may be a second apart. */
const TELLING = { tags: ['t'], varyBy: { headers: ['x-a'] }, send: { cacheControl: 'no-cache', tags: 'cache-tag' } }

/** The lane, the lane with early hits, and Fastify. */
async function bothWays(t: Test): Promise<Ways> {
  const refused = REFUSING_ORIGIN
  const build = async ({ off = false, early = false }): Promise<Way> => {
    const upstream = await startUpstream(t, answers)
    const gateway = await buildAndListen(t, {
      input: {
        admin: { shared: true },
        limits: { bodySize: '64KiB' },
        cache: { early },
        upstreams: { origin: { targets: [upstream.origin] }, away: { targets: [refused] } },
        routes: {
          '/*': { to: 'origin' },
          '/strip/*': { to: 'origin', stripPrefix: true },
          '/vehicles/:id': { to: 'origin', rewrite: '/api/v2/:id' },
          'GET /read-only': { to: 'origin' },
          'api.test/*': { to: 'origin', rewrite: '/by-host/*' },
          'GET,HEAD narrow.test/only/:id': { to: 'origin' },
          '/plain/*': { to: 'origin', encodedSlash: 'refuse' },
          '/away/*': { to: 'away' },
          '/cached/*': { to: 'origin', cache: true },
          '/split/*': {
            to: {
              split: { origin: 1, away: 0 },
              rules: [{ header: 'x-side', is: 'away', to: 'away' }],
            },
            rewrite: '/cached/*',
            cache: true,
          },
          '/said/*': { answer: { status: 410, headers: { 'x-why': 'moved' }, body: 'gone' } },
          '/told/*': { to: 'origin', rewrite: '/cached/*', cache: TELLING },
        },
      },
      extend: (app) => {
        if (off) app.addHook('onRequest', async () => undefined)
      },
    })
    t.equal(gateway.app.lane.off !== undefined, off)
    return { gateway, upstream }
  }
  return [await build({}), await build({ early: true }), await build({ off: true })]
}

/** Says what differs in each request whatever the way: times, ids, and what only concerns one connection. */
const OWN_EACH_TIME = new Set([
  'date',
  'age',
  'x-request-id',
  'server-timing',
  'keep-alive',
  'x-ratelimit-remaining',
  'x-ratelimit-reset',
])

function comparable(fields: readonly Field[]): string[] {
  return fields
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name, value]) => !OWN_EACH_TIME.has(name) && !(name === 'connection' && value === 'keep-alive'))
    .map(([name, value]) => `${name}: ${value.replaceAll(/127\.0\.0\.1:\d+/g, 'ADDRESS').replace(/ttl=\d+/, 'ttl')}`)
    .sort()
}

interface Seen {
  status: number | undefined
  fields: string[]
  body: string
  broken: boolean
  trailers: string[]
  /** Without 100 Continue: the lane writes one when the upstream asks for the body, Node before Fastify at once. */
  informational: { status: number; fields: string[] }[]
  upstream: { start: string; fields: string[]; body: string; complete: boolean }[]
}

async function see(t: Test, way: Way, ask: () => Promise<ClientResponse>): Promise<Seen> {
  way.upstream.requests.length = 0
  const answer = await ask().catch((error: unknown) => {
    if (error instanceof BrokenResponse) return error
    throw error
  })
  const broken = answer instanceof BrokenResponse
  const response: Partial<ClientResponse> = broken ? answer.partial : answer
  const continued = response.informational?.filter(({ status }) => status === 100).length ?? 0
  if (continued > 1) t.fail(`100 Continue was written ${continued} times`)
  return {
    status: response.status,
    fields: comparable(response.fields ?? []),
    body: (response.body?.toString('latin1') ?? '')
      .replace(/"requestId":"[^"]+"/, '"requestId":"…"')
      .replace(/"uptimeSeconds":\d+/, '"uptimeSeconds":"…"'),
    broken,
    trailers: comparable(response.trailers ?? []),
    informational: (response.informational ?? [])
      .filter(({ status }) => status !== 100)
      .map(({ status, fields }) => ({ status, fields: comparable(fields) })),
    upstream: way.upstream.requests.map(({ start, fields, body, complete }) => ({
      start,
      fields: comparable(fields),
      body: body.toString('latin1'),
      complete,
    })),
  }
}

async function same(t: Test, ways: Ways, name: string, ask: (way: Way) => Promise<ClientResponse>) {
  const lane = await see(t, ways[0], () => ask(ways[0]))
  const early = await see(t, ways[1], () => ask(ways[1]))
  t.strictSame(early, lane, `${name}, early`)
  const fastify = await see(t, ways[2], () => ask(ways[2]))
  t.strictSame(fastify, lane, name)
  return lane
}

const big = 'x'.repeat(70_000)
const REQUESTS: ClientRequest[] = [
  ...['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'QUERY', 'REPORT', 'PURGE'].flatMap(
    (method) => [
      { method, path: '/any?x=1' },
      { method, path: '/any', body: 'a body' },
      { method, path: '/any', body: 'a body', fields: [['Content-Type', 'application/json'] as const] },
    ],
  ),
  { method: 'POST', path: '/any', body: '{"broken', fields: [['Content-Type', 'application/json']] },
  { method: 'POST', path: '/any', body: 'x', fields: [['Content-Type', 'no media type']] },
  { method: 'POST', path: '/any', body: '', fields: [['Content-Type', 'text/plain']] },
  { method: 'POST', path: '/any', body: big },
  // the routes
  ...['/strip/a/b?q=1', '/strip/', '/strip', '/vehicles/7', '/vehicles/', '/vehicles/7/x', '/read-only'].map(
    (path) => ({
      path,
    }),
  ),
  { method: 'POST', path: '/read-only' },
  { path: '/x/y', authority: 'api.test' },
  { path: '/x/y', authority: 'API.test:8080' },
  { method: 'POST', path: '/only/1', authority: 'narrow.test' },
  { path: '/away/x' },
  ...['/split/fresh', '/split/fresh', '/said/x'].flatMap((path) => [
    { path },
    { method: 'HEAD', path },
    { path, fields: [['X-Side', 'away'] as const] },
    { method: 'POST', path, body: 'abc' },
  ]),
  { method: 'POST', path: '/away/x', body: 'abc' },
  // paths that are written oddly
  ...[
    '/a/../b',
    '/%61',
    '/a%2Fb',
    '/plain/a%2Fb',
    '//a//b',
    '/a;v=1/b',
    '/%C3%A9',
    '/%FF',
    '/strip/%FF/x',
    '/%E0%A4%A',
    '/a%20b',
    '/a%25b',
    '/a%252Fb',
    '/a?b?c=%zz',
    '/a?',
    '/*',
    '/:id',
    '/performance%2Fhealth',
    '//performance/health',
    '/performance;x/health',
    '/x/..%2fperformance',
    '/performance',
    '/performance/nothing',
    '/health/',
    '/Health',
    '/%00',
    '/a%5Cb',
    '/..',
    '/%zz',
    `/${'long/'.repeat(2_000)}`,
    `/${'x'.repeat(9_000)}`,
    `/vehicles/${'x'.repeat(9_000)}`,
  ].map((path) => ({ path })),
  // the gateway's own pages
  ...[
    '/health',
    '/ready',
    '/openapi.json',
    '/docs/',
    '/docs',
    '/docs/static/index.css',
    '/docs/static/none',
    '/performance/pools',
    '/performance/log',
    '/metrics',
  ].flatMap((path) => [
    { path, keepBody: false },
    { method: 'HEAD', path },
    { method: 'OPTIONS', path },
    { method: 'POST', path, body: 'x' },
    { method: 'POST', path, body: '{', fields: [['Content-Type', 'application/json'] as const] },
    { method: 'DELETE', path },
    { method: 'PROPFIND', path },
    { method: 'TRACE', path },
  ]),
  { method: 'OPTIONS', path: '*' },
  { method: 'OPTIONS', path: '*', body: 'x' },
  { method: 'GET', path: '*' },
  {
    method: 'OPTIONS',
    path: '*',
    fields: [
      ['Origin', 'https://a.test'],
      ['Access-Control-Request-Method', 'PUT'],
    ],
  },
  { path: '/performance/log', fields: [['Authorization', 'Bearer test-token']] },
  { path: '/performance/log', fields: [['Authorization', 'Bearer wrong']] },
  // fields
  { path: '/any', fields: [['Expect', '100-continue']] },
  { method: 'POST', path: '/any', body: 'abc', fields: [['Expect', '100-continue']] },
  { method: 'POST', path: '/health', body: 'abc', fields: [['Expect', '100-continue']] },
  {
    path: '/any',
    fields: [
      ['X-A', '1'],
      ['X-A', '2'],
      ['x-a', '3'],
      ['Cookie', 'a=1'],
      ['Cookie', 'b=2'],
    ],
  },
  {
    path: '/any',
    fields: [
      ['X-Forwarded-For', '9.9.9.9'],
      ['Forwarded', 'for=9.9.9.9'],
      ['X-Request-Id', 'mine'],
    ],
  },
  { path: '/any', fields: [['Via', '1.1 headrace, 1.1 other']] },
  { path: '/any', fields: [['Via', Array.from({ length: 8 }, () => '1.1 headrace').join(', ')]] },
  { path: '/any', fields: [['TE', 'trailers']] },
  { path: '/any', fields: [['Accept-Version', '1.x']] },
  {
    path: '/any',
    fields: [
      ['Authorization', 'Bearer x'],
      ['Origin', 'https://a.test'],
    ],
  },
  {
    method: 'OPTIONS',
    path: '/any',
    fields: [
      ['Origin', 'https://a.test'],
      ['Access-Control-Request-Method', 'PUT'],
    ],
  },
  {
    method: 'OPTIONS',
    path: '/health',
    fields: [
      ['Origin', 'https://a.test'],
      ['Access-Control-Request-Method', 'GET'],
    ],
  },
  // what upstreams do
  ...[
    'reset',
    'garbage',
    'truncated',
    'hints',
    'chunked',
    'to-the-end',
    'nothing',
    'same',
    'moved',
    'hop',
    'failure',
  ].flatMap((what) => [{ path: `/${what}` }, { path: `/strip/${what}` }, { method: 'HEAD', path: `/${what}` }]),
]

/** In this order: each finds what those before it have left. */
const CACHED: ClientRequest[] = ['fresh', 'large', 'private', 'validated', 'truncated', 'reset', 'else']
  .flatMap((what) => [`/cached/${what}`, `/told/${what}`])
  .flatMap((path) => {
    const fields: Field[][] = [
      [['If-None-Match', '"1"']],
      [['Range', 'bytes=1-4']],
      [['Range', 'bytes=9999999-']],
      [['Cache-Control', 'no-cache']],
      [['Cache-Control', 'only-if-cached']],
      [['X-A', '2']],
      [['If-Match', '"2"']],
    ]
    return [
      { path },
      { path },
      { method: 'HEAD', path },
      ...fields.map((own) => ({ path, fields: own })),
      { method: 'GET', path, body: 'content' },
      { method: 'QUERY', path, body: 'content' },
      { method: 'QUERY', path, body: 'content' },
      { method: 'POST', path, body: 'content' },
      { path },
    ]
  })

const nameOf = ({ method = 'GET', path, authority, body, fields }: ClientRequest): string =>
  [
    method,
    (authority ?? '') + path.slice(0, 60),
    body && `body of ${body.length}`,
    fields?.flat().join(' ').slice(0, 60),
  ]
    .filter(Boolean)
    .join(' ')

for (const protocol of ['h1', 'h2', 'h2c'] satisfies Protocol[]) {
  void test(`the lane and Fastify give the same answers and send the same requests (${protocol})`, {
    timeout: PATIENCE * 4,
  }, async (t) => {
    const ways = await bothWays(t)
    const clients = new Map(
      await Promise.all(ways.map(async (way) => [way, await way.gateway.client(protocol)] as const)),
    )
    for (const request of [...REQUESTS, ...CACHED]) {
      await same(t, ways, nameOf(request), (way) => clients.get(way)!.request(request))
    }
  })
}

const head = (start: string, fields: string, rest = ''): string => `${start}\r\n${fields}\r\n${rest}`
const HOST = 'Host: gateway.test\r\n'
const BYTES: [name: string, bytes: string, method?: string][] = [
  ['HTTP/1.0 without Host', head('GET /any HTTP/1.0', '')],
  ['HTTP/1.0 with Host', head('GET /chunked HTTP/1.0', HOST)],
  ['HTTP/1.0 kept alive', head('GET /any HTTP/1.0', `${HOST}Connection: keep-alive\r\n`)],
  ['HTTP/1.0 for a page of the gateway', head('GET /health HTTP/1.0', '')],
  ['HTTP/1.0 with Transfer-Encoding', head('POST /any HTTP/1.0', `${HOST}Transfer-Encoding: chunked\r\n`, '0\r\n\r\n')],
  ['a connection to be closed', head('GET /any HTTP/1.1', `${HOST}Connection: close\r\n`)],
  ['absolute form', head('GET http://gateway.test/any?x HTTP/1.1', HOST)],
  ['absolute form against Host', head('GET http://api.test/any HTTP/1.1', HOST)],
  ['absolute form without a path', head('GET http://gateway.test HTTP/1.1', HOST)],
  ['absolute form, a query alone', head('GET http://gateway.test?x=1 HTTP/1.1', HOST)],
  ['absolute form of a page of the gateway', head('GET http://gateway.test/health HTTP/1.1', HOST)],
  ['absolute form with user information', head('GET http://a@gateway.test/ HTTP/1.1', HOST)],
  ['another scheme', head('GET ftp://gateway.test/ HTTP/1.1', HOST)],
  ['OPTIONS *', head('OPTIONS * HTTP/1.1', HOST), 'OPTIONS'],
  ['GET *', head('GET * HTTP/1.1', HOST)],
  ['TRACE', head('TRACE /any HTTP/1.1', HOST)],
  ['no Host', head('GET /any HTTP/1.1', '')],
  ['no Host, a page of the gateway', head('GET /health HTTP/1.1', '')],
  ['two Hosts', head('GET /any HTTP/1.1', HOST + HOST)],
  ['an empty Host', head('GET /any HTTP/1.1', 'Host:\r\n')],
  ['a Host with a path', head('HEAD /any HTTP/1.1', 'Host: a/b\r\n'), 'HEAD'],
  ['a Host with a dot at its end', head('GET /any HTTP/1.1', 'Host: Gateway.test.:80\r\n')],
  [
    'fields named by Connection',
    head('GET /any HTTP/1.1', `${HOST}X-A: 1\r\nX-B: 2\r\nConnection: X-A, Via, Host\r\n`),
  ],
  ['an upgrade that is not offered', head('GET /any HTTP/1.1', `${HOST}Connection: Upgrade\r\nUpgrade: h2c\r\n`)],
  ['a length of 0', head('POST /any HTTP/1.1', `${HOST}Content-Length: 0\r\n`), 'POST'],
  ['a length of 00', head('POST /any HTTP/1.1', `${HOST}Content-Length: 00\r\n`), 'POST'],
  ['a length of 003', head('POST /any HTTP/1.1', `${HOST}Content-Length: 003\r\n`, 'abc'), 'POST'],
  ['an empty chunked body', head('POST /any HTTP/1.1', `${HOST}Transfer-Encoding: chunked\r\n`, '0\r\n\r\n'), 'POST'],
  [
    'chunks with extensions and trailers',
    head('PUT /any HTTP/1.1', `${HOST}Transfer-Encoding: Chunked\r\n`, '3;a=b\r\nabc\r\n0\r\nX-T: 1\r\n\r\n'),
    'PUT',
  ],
  [
    'a chunked body too large',
    head('POST /any HTTP/1.1', `${HOST}Transfer-Encoding: chunked\r\n`, `11170\r\n${'x'.repeat(70_000)}\r\n0\r\n\r\n`),
    'POST',
  ],
  ['a body too large by its length', head('POST /any HTTP/1.1', `${HOST}Content-Length: 70000\r\n`), 'POST'],
  [
    'a body for a method that is not allowed',
    head('POST /read-only HTTP/1.1', `${HOST}Content-Length: 3\r\n`, 'abc'),
    'POST',
  ],
  ['bytes above ASCII in a field', head('GET /any HTTP/1.1', `${HOST}X-A: caf\xe9\r\n`)],
  ['bytes above ASCII in the path', head('GET /caf\xe9 HTTP/1.1', HOST)],
  ['an empty field', head('GET /any HTTP/1.1', `${HOST}X-Empty:\r\n`)],
  ['__proto__ as a field', head('GET /any HTTP/1.1', `${HOST}__proto__: x\r\nconstructor: y\r\n`)],
]

void test('what only bytes can say is answered the same by the lane and Fastify', { timeout: PATIENCE }, async (t) => {
  const ways = await bothWays(t)
  for (const [name, bytes, method] of BYTES) {
    const ends: (string | undefined)[] = []
    await same(t, ways, name, async (way) => {
      const raw = await way.gateway.raw()
      const incoming = raw.expect(method)
      await raw.send(bytes)
      const response = await incoming.whole()
      const isLast = response.get('connection') === 'close' || bytes.includes('HTTP/1.0')
      ends.push(isLast && response.get('connection') !== 'keep-alive' ? (await raw.ended()).how : undefined)
      return response
    })
    t.strictSame(ends, [ends[0], ends[0], ends[0]], `${name}: the end of the connection`)
  }
})

void test('requests in a row on one connection are answered in order, whichever way they go', {
  timeout: PATIENCE,
}, async (t) => {
  const ways = await bothWays(t)
  const paths = ['/any?1', '/health', '/read-only', '/nothing-here/x', '/performance/pools', '/any?2']
  const statuses = async (way: Way): Promise<number[]> => {
    const raw = await way.gateway.raw()
    const answers = paths.map(() => raw.expect())
    await raw.send(paths.map((path) => head(`GET ${path} HTTP/1.1`, HOST)).join(''))
    return Promise.all(answers.map(async (incoming) => (await incoming.whole()).status))
  }
  const lane = await statuses(ways[0])
  t.strictSame(lane, [200, 200, 200, 200, 401, 200])
  t.strictSame(await statuses(ways[1]), lane)
  t.strictSame(await statuses(ways[2]), lane)
})

void test('early hits come from no request of node:http', { timeout: PATIENCE }, async (t) => {
  const [lane, early] = await bothWays(t)
  const parsed = async ({ gateway }: Way): Promise<number> => {
    let requests = 0
    const { lane: spied } = gateway.app
    const { request } = spied
    spied.request = (...given) => {
      requests++
      return request.apply(spied, given)
    }
    const client = await gateway.client('h1')
    for (let i = 0; i < 5; i++) t.equal((await client.request({ path: '/cached/fresh' })).status, 200)
    return requests
  }
  t.equal(await parsed(lane), 5)
  t.equal(await parsed(early), 1)
})

void test('what fails ahead of node:http has its answer as a request', { timeout: PATIENCE }, async (t) => {
  const [, early] = await bothWays(t)
  const { lane } = early.gateway.app
  const client = await early.gateway.client('h1')
  t.equal((await client.request({ path: '/cached/fresh' })).status, 200)
  let failures = 0
  Object.defineProperty(lane.cache, 'hit', {
    value: () => {
      failures++
      throw new TypeError('a bug')
    },
  })
  t.equal((await client.request({ path: '/cached/fresh' })).status, 200)
  t.equal(failures, 1)
  t.ok(lane.idle, 'and nothing is left over')
})
