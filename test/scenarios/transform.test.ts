import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { everyProtocol, gatewayBefore, isProblem, PATIENCE } from '../helper.ts'
import { all, type Field } from '../wire.ts'

const JSON_TYPE: Field = ['Content-Type', 'application/json']

everyProtocol(
  'a request is changed on its way, and nothing of it can be injected',
  async (t, protocol) => {
    const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond(), {
      key: '/api/:tenant/*',
      route: {
        transform: {
          request: {
            headers: {
              set: { 'x-tenant': '${param.tenant}', 'x-lang': '${query.lang}' },
              remove: ['x-internal', 'cookie'],
              rename: { 'x-old': 'x-new' },
            },
            query: { set: { v: '2' }, remove: ['utm'], rename: { q: 'query' } },
            body: { pick: ['/a', '/card'], mask: ['/card/number'] },
          },
        },
      },
    })
    const client = await gateway.client(protocol)
    await client.request({
      method: 'POST',
      path: '/api/acme/x?q=a&utm=1&lang=%0D%0Ax-admin:%201',
      fields: [
        JSON_TYPE,
        ['x-tenant', 'forged'],
        ['x-internal', '1'],
        ['cookie', 'a=b'],
        ['x-old', 'kept'],
        ['content-md5', 'x'],
      ].map(([name, value]) => [(name as string).toLowerCase(), value as string] as Field),
      body: '{"a":1,"secret":2,"card":{"number":"4111"}}',
    })
    const got = await upstream.received(1)
    t.equal(got.target, '/api/acme/x?query=a&lang=%0D%0Ax-admin:%201&v=2')
    t.equal(got.get('x-tenant'), 'acme')
    t.equal(got.get('x-new'), 'kept')
    for (const name of ['x-lang', 'x-admin', 'x-internal', 'cookie', 'x-old', 'content-md5'])
      t.equal(got.get(name), undefined, name)
    t.equal(got.body.toString(), '{"a":1,"card":{"number":"***"}}')
    t.equal(got.get('content-length'), String(got.body.length))
  },
  ['h1', 'h2'],
)

everyProtocol(
  'an answer is changed before it is stored, and its tag is weak',
  async (t, protocol) => {
    const { gateway, upstream } = await gatewayBefore(
      t,
      [
        (exchange) =>
          exchange.respond(
            200,
            [
              JSON_TYPE,
              ['Cache-Control', 'max-age=60'],
              ['ETag', '"1"'],
              ['Accept-Ranges', 'bytes'],
              ['X-Internal', '1'],
            ],
            '{"id":12345678901234567890,"card":{"number":"4111"}}',
          ),
      ],
      {
        route: {
          cache: true,
          transform: {
            response: {
              headers: { remove: ['x-internal'], set: { 'x-by': 'headrace' }, rename: { server: 'x-server' } },
              body: { mask: ['/card/number'], rename: { '/id': 'key' } },
              status: { 200: 203 },
            },
          },
        },
      },
    )
    const client = await gateway.client(protocol)
    for (const from of ['upstream', 'store']) {
      const answer = await client.request({ path: '/x' })
      t.equal(answer.status, 203, from)
      t.equal(answer.body.toString(), '{"key":12345678901234567890,"card":{"number":"***"}}')
      t.equal(answer.get('content-length'), String(answer.body.length))
      t.equal(answer.get('etag'), 'W/"1"')
      t.equal(answer.get('accept-ranges'), undefined)
      t.equal(answer.get('x-internal'), undefined)
      t.same(all(answer.fields, 'x-by'), ['headrace'])
    }
    t.equal(upstream.requests.length, 1)
    const asked = await upstream.received(1)
    t.equal(asked.get('accept-encoding'), 'identity')
  },
  ['h1', 'h2'],
)

everyProtocol(
  'what should be masked and cannot be read is not shown',
  async (t, protocol) => {
    const bodies: [Field[], string][] = [
      [[JSON_TYPE], '{"card":'],
      [[JSON_TYPE, ['Content-Encoding', 'gzip']], 'secret'],
      [[JSON_TYPE], `{"card":"${'x'.repeat(2_000)}"}`],
      [[['Content-Type', 'text/plain']], 'goes by'],
    ]
    const { gateway } = await gatewayBefore(
      t,
      bodies.map(
        ([fields, body]) =>
          (exchange) =>
            exchange.respond(200, fields, body),
      ),
      { route: { transform: { bodySize: '1KiB', response: { body: { mask: ['/card'] } } } } },
    )
    const client = await gateway.client(protocol)
    for (const _ of bodies.slice(0, 3)) isProblem(t, await client.request({ path: '/x' }), 502)
    t.equal((await client.request({ path: '/x' })).body.toString(), 'goes by')
  },
  ['h1', 'h2'],
)

everyProtocol(
  'a request body that cannot be transformed is refused',
  async (t, protocol) => {
    const { gateway } = await gatewayBefore(t, [], {
      route: { transform: { bodySize: '32B', request: { body: { remove: ['/a'] } } } },
    })
    const client = await gateway.client(protocol)
    const post = (body: string, fields: Field[] = []) =>
      client.request({ method: 'POST', path: '/', fields: [['content-type', 'application/json'], ...fields], body })
    isProblem(t, await post('{'), 400)
    isProblem(t, await post(`{"a":"${'x'.repeat(40)}"}`), 413)
    isProblem(t, await post('{}', [['content-encoding', 'gzip']]), 415)
  },
  ['h1', 'h2'],
)

const HOOKS = `
export const request = async ({ headers, body, query }) => {
  if (headers['x-refuse'] !== undefined) return { refuse: { status: 409, detail: 'not now' } }
  if (headers['x-throw'] !== undefined) throw new Error('secret of the code')
  if (headers['x-round'] !== undefined) {
    const round = {}
    return { body: Object.assign(round, { round }) }
  }
  if (headers['x-function'] !== undefined) return { body: () => 1 }
  if (headers['x-bad'] !== undefined) return { headers: { 'x-a': 'b\\r\\nc: d' } }
  return { headers: { 'x-seen': query, 'x-drop': null }, body: { ...body, more: true } }
}
export const response = async ({ status, headers, body }) => {
  await new Promise((resolve) => setImmediate(resolve))
  if (headers['x-never'] !== undefined) await new Promise(() => undefined)
  return { status: status === 200 ? 201 : status, headers: { 'x-hook': '1' }, ...(body && { body: { wrapped: body } }) }
}
`

everyProtocol(
  'hooks change what passes, refuse it, and fail within their time',
  async (t, protocol) => {
    const file = join(t.testdir({ 'hooks.mjs': '' }), '..', `hooks-${protocol}.mjs`)
    writeFileSync(file, HOOKS)
    const { gateway, upstream } = await gatewayBefore(
      t,
      [
        (exchange) => exchange.respond(200, [JSON_TYPE], '{"a":1}'),
        (exchange) => exchange.respond(200, [['Content-Type', 'text/plain']], 'x'.repeat(200_000)),
        (exchange) => exchange.respond(200, [JSON_TYPE, ['X-Never', '1']], '{}'),
      ],
      {
        route: {
          transform: {
            hookTimeout: '2s',
            request: { hook: `${file}#request` },
            response: { hook: `${file}#response` },
          },
        },
      },
    )
    const client = await gateway.client(protocol)
    const ask = (fields: Field[] = []) =>
      client.request({
        method: 'POST',
        path: '/x?y',
        fields: [['content-type', 'application/json'], ...fields],
        body: '{"b":2}',
      })
    const answer = await ask([['x-drop', '1']])
    t.equal(answer.status, 201)
    t.equal(answer.body.toString(), '{"wrapped":{"a":1}}')
    t.equal(answer.get('x-hook'), '1')
    const got = await upstream.received(1)
    t.equal(got.body.toString(), '{"b":2,"more":true}')
    t.equal(got.get('x-seen'), '?y')
    t.equal(got.get('x-drop'), undefined)
    const streamed = await ask()
    t.equal(streamed.body.length, 200_000)
    t.equal(streamed.status, 201)
    isProblem(t, await ask(), 504)
    const refused = await ask([['x-refuse', '1']])
    isProblem(t, refused, 409)
    t.match(refused.body.toString(), /not now/)
    const thrown = await ask([['x-throw', '1']])
    isProblem(t, thrown, 500)
    t.notMatch(thrown.body.toString(), /secret/)
    for (const name of ['x-bad', 'x-round', 'x-function']) {
      const answer = await ask([[name, '1']])
      isProblem(t, answer, 500)
      t.match(answer.body.toString(), 'HR_TRANSFORM_HOOK', 'the log names the hook')
    }
    t.equal(upstream.requests.length, 3)
  },
  ['h1', 'h2'],
)

void test('a client that leaves while a hook takes its time is done with', { timeout: PATIENCE }, async (t) => {
  const file = join(t.testdir(), '..', 'hooks-leave.mjs')
  writeFileSync(file, 'export const response = () => new Promise(() => undefined)')
  const { gateway, upstream } = await gatewayBefore(
    t,
    [(exchange) => exchange.respond(200, [JSON_TYPE], '{}'), (exchange) => exchange.respond(200, [], 'next')],
    {
      key: '/*',
      config: {
        routes: {
          '/slow': { to: 'origin', transform: { hookTimeout: '30s', response: { hook: `${file}#response` } } },
          '/*': { to: 'origin' },
        },
      },
    },
  )
  const client = await gateway.client('h1')
  const slow = await client.open({ path: '/slow' })
  await upstream.received(1)
  slow.abort()
  t.equal((await client.request({ path: '/next' })).body.toString(), 'next')
  await gateway.close()
})

void test('no part is asked for of what becomes another', { timeout: PATIENCE }, async (t) => {
  const { gateway, upstream } = await gatewayBefore(
    t,
    (exchange) => exchange.respond(200, [JSON_TYPE], '{"a":1,"b":2}'),
    {
      route: { transform: { response: { body: { pick: ['/a'] } } } },
    },
  )
  const range: Field[] = [
    ['range', 'bytes=0-3'],
    ['if-range', '"1"'],
  ]
  const answer = await (await gateway.client('h1')).request({ path: '/x', fields: range })
  t.equal(answer.status, 200)
  t.equal(answer.body.toString(), '{"a":1}')
  const got = await upstream.received(1)
  t.equal(got.get('range'), undefined)
  t.equal(got.get('if-range'), undefined)
})

everyProtocol('a request body that could be read in two ways is not changed, but refused', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond(), {
    route: { transform: { request: { body: { remove: ['/role'] } } } },
  })
  const client = await gateway.client(protocol)
  const ask = (body: string): ReturnType<typeof client.request> =>
    client.request({ method: 'POST', path: '/', fields: [['content-type', 'application/json']], body })
  const twice = await ask('{"a":[{"k":1,"k":2}]}')
  isProblem(t, twice, 400)
  t.match(twice.body.toString(), /HR_TRANSFORM_REQUEST_DUPLICATE.*\/a\/0\/k/)
  const deep = await ask(`${'['.repeat(5_000)}${']'.repeat(5_000)}`)
  isProblem(t, deep, 400)
  t.match(deep.body.toString(), /nested too deeply/)
  t.equal(upstream.requests.length, 0)
  await ask('{"id":1,"ro\\\\u":1}')
  await ask('{"id":1,"ro\\u006ce":"admin"}')
  t.equal((await upstream.received(2)).body.toString(), '{"id":1}', 'a name that V8 takes for the one before')
})
