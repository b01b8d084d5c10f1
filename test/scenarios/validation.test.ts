import { test, type Test } from 'tap'
import { everyProtocol, type Gateway, managedGatewayBefore, isProblem, PATIENCE, gatewayBefore } from '../helper.ts'
import type { ClientRequest } from '../client.ts'
import type { Upstream } from '../upstream-server.ts'

const DOCUMENT = {
  openapi: '3.0.3',
  info: { title: 'orders', version: '1' },
  paths: {
    '/orders': {
      post: {
        parameters: [{ name: 'dry', in: 'query', schema: { type: 'boolean' } }],
        requestBody: {
          required: true,
          content: { 'application/json': { schema: { $ref: '#/components/schemas/Order' } } },
        },
        responses: { '201': { content: { 'application/json': { schema: { $ref: '#/components/schemas/Order' } } } } },
      },
    },
    '/forms': {
      post: {
        requestBody: {
          content: Object.fromEntries(
            ['application/x-www-form-urlencoded', 'multipart/form-data'].map((type) => [
              type,
              { schema: { type: 'object', required: ['n'], properties: { n: { type: 'integer' } } } },
            ]),
          ),
        },
        responses: { default: { description: 'any' } },
      },
    },
    '/optional': {
      post: {
        requestBody: { content: { 'application/json': { schema: { type: 'object' } } } },
        responses: { default: { description: 'any' } },
      },
    },
    '/orders/{id}': {
      parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'integer' } }],
      get: {
        responses: {
          '200': { content: { 'application/json': { schema: { $ref: '#/components/schemas/Order' } } } },
          '404': { description: 'gone' },
        },
      },
    },
  },
  components: {
    schemas: {
      Order: {
        type: 'object',
        required: ['id', 'items'],
        properties: {
          id: { type: 'integer', readOnly: true },
          note: { type: 'string', nullable: true },
          items: {
            type: 'array',
            items: { type: 'object', required: ['sku'], properties: { sku: { type: 'string' } } },
          },
        },
      },
    },
  },
}

const GOOD = JSON.stringify({ id: 7, items: [{ sku: 'a' }] })
const BAD = JSON.stringify({ id: 7, items: [{ sku: 'a' }, { sku: 5, secret: 'hunter2' }] })

/** A gateway that validates before an upstream with the document above, which answers `answers` in turn. */
async function validating(
  t: Test,
  route: Record<string, unknown>,
  answer: (path: string) => [status: number, type: string, body: string] = () => [200, 'application/json', GOOD],
): Promise<{ gateway: Gateway; upstream: Upstream; asked: () => string[] }> {
  const { gateway, upstream } = await managedGatewayBefore(
    t,
    async (exchange) => {
      if (exchange.request.target === '/openapi.json') {
        await exchange.respond(200, [['Content-Type', 'application/json']], JSON.stringify(DOCUMENT))
        return
      }
      const [status, type, body] = answer(exchange.request.target)
      await exchange.respond(
        status,
        [
          ['Content-Type', type],
          ['Cache-Control', 'max-age=60'],
        ],
        body,
      )
    },
    { to: { openapi: '/openapi.json' }, route },
  )
  const asked = (): string[] =>
    upstream.requests
      .filter(({ target }) => target !== '/openapi.json')
      .map(({ method, target }) => `${method} ${target}`)
  return { gateway, upstream, asked }
}

const post = (body: string, path = '/orders', type = 'application/json'): ClientRequest => ({
  method: 'POST',
  path,
  fields: [['content-type', type]],
  body,
})

function errorsOf(body: Buffer): { in: string; pointer: string; message: string }[] {
  return (JSON.parse(body.toString()) as { errors: { in: string; pointer: string; message: string }[] }).errors
}

everyProtocol(
  'a request that is not as the specification says is refused, and told where',
  async (t, protocol) => {
    const { gateway, asked } = await validating(t, { validate: true }, () => [201, 'application/json', GOOD])
    const client = await gateway.client(protocol)
    const bad = await client.request(
      post(JSON.stringify({ items: [{ sku: 'a' }, { sku: 5, secret: 'hunter2' }] }), '/orders?dry=maybe'),
    )
    isProblem(t, bad, 400)
    t.same(errorsOf(bad.body), [
      { in: 'query', pointer: '/dry', message: 'must be boolean' },
      { in: 'body', pointer: '/items/1/sku', message: 'must be string' },
    ])
    const body = await client.request(post(JSON.stringify({ items: [{ sku: 'a' }, { sku: 5, secret: 'hunter2' }] })))
    isProblem(t, body, 400)
    t.same(errorsOf(body.body), [{ in: 'body', pointer: '/items/1/sku', message: 'must be string' }])
    t.notMatch(body.body.toString(), /hunter2/)
    const type = await client.request(post('a', '/orders', 'text/plain'))
    t.match(errorsOf(type.body), [{ in: 'content-type', message: 'is none of application/json' }])
    const broken = await client.request(post('{"items":'))
    t.match(errorsOf(broken.body), [{ in: 'body', pointer: '', message: 'is no JSON' }])
    const id = await client.request({ path: '/orders/seven' })
    t.same(errorsOf(id.body), [{ in: 'path', pointer: '/id', message: 'must be integer' }])
    isProblem(t, await client.request({ path: '/elsewhere' }), 404)
    const method = await client.request({ method: 'DELETE', path: '/orders/7' })
    isProblem(t, method, 405)
    t.equal(method.get('allow'), 'GET, HEAD')
    t.same(asked(), [])
    const good = await client.request(post(JSON.stringify({ items: [{ sku: 'a' }], note: null }), '/orders?dry=true'))
    t.equal(good.status, 201)
    t.same(asked(), ['POST /orders?dry=true'])
  },
  ['h1', 'h2'],
)

everyProtocol(
  'an answer that is not as the specification says is never sent or stored',
  async (t, protocol) => {
    let body = BAD
    const { gateway, asked } = await validating(t, { cache: true, validate: { responses: 'enforce' } }, () => [
      200,
      'application/json; charset=utf-8',
      body,
    ])
    const client = await gateway.client(protocol)
    const bad = await client.request({ path: '/orders/7' })
    isProblem(t, bad, 502)
    t.match(bad.body.toString(), /HR_VALIDATION_RESPONSE/)
    body = GOOD
    t.equal((await client.request({ path: '/orders/7' })).body.toString(), GOOD)
    t.equal((await client.request({ path: '/orders/7' })).body.toString(), GOOD)
    t.same(asked(), ['GET /orders/7', 'GET /orders/7'], 'the third was a hit')
  },
  ['h1', 'h2'],
)

everyProtocol(
  'an undeclared status and a wrong type are refused, what the upstream itself fails with is not',
  async (t, protocol) => {
    const answers: Record<string, [number, string, string]> = {
      '/orders/1': [202, 'application/json', GOOD],
      '/orders/2': [200, 'text/html', '<p>'],
      '/orders/3': [503, 'text/plain', 'down'],
      '/orders/4': [404, 'text/plain', 'gone'],
    }
    const { gateway } = await validating(
      t,
      { validate: { responses: 'enforce' } },
      (path) => answers[path] ?? [200, '', ''],
    )
    const client = await gateway.client(protocol)
    const statuses: number[] = []
    for (const path of Object.keys(answers)) statuses.push((await client.request({ path })).status)
    t.same(statuses, [502, 502, 503, 404])
  },
)

void test('of a request with many faults twenty are told, and that there are more', {
  timeout: PATIENCE,
}, async (t) => {
  const { gateway } = await validating(t, { validate: true })
  const client = await gateway.client('h1')
  const answer = await client.request(post(JSON.stringify({ items: Array(50).fill({}), note: 1 })))
  isProblem(t, answer, 400)
  t.equal(errorsOf(answer.body).length, 20)
  t.equal((JSON.parse(answer.body.toString()) as { errorsTruncated?: boolean }).errorsTruncated, true)
})

void test('a member that stands twice is refused, whichever of the two an upstream would take', {
  timeout: PATIENCE,
}, async (t) => {
  const { gateway, asked } = await validating(t, { validate: true })
  const client = await gateway.client('h1')
  const twice = await client.request(post('{"items":[{"sku":5,"\\u0073ku":"a"}]}'))
  isProblem(t, twice, 400)
  t.same(errorsOf(twice.body), [{ in: 'body', pointer: '/items/0/sku', message: 'stands more than once' }])
  t.same(asked(), [])
})

void test('a form is validated, and one of several parts passes, counted as unread', {
  timeout: PATIENCE,
}, async (t) => {
  const { gateway, upstream } = await validating(t, { validate: true }, () => [204, '', ''])
  const client = await gateway.client('h1')
  const form = 'application/x-www-form-urlencoded'
  const bad = await client.request(post('n=x&n=2', '/forms', form))
  isProblem(t, bad, 400)
  t.same(errorsOf(bad.body), [{ in: 'body', pointer: '/n', message: 'stands more than once' }])
  t.equal((await client.request(post('n=2', '/forms', form))).status, 204)
  t.equal(upstream.requests.at(-1)?.body.toString(), 'n=2')
  const part = '--b\r\ncontent-disposition: form-data; name="n"\r\n\r\nx\r\n--b--\r\n'
  t.equal((await client.request(post(part, '/forms', 'multipart/form-data; boundary=b'))).status, 204)
  const metrics = await fetch(`${gateway.adminUrl}/metrics`, { headers: { authorization: `Bearer ${gateway.token}` } })
  t.match(await metrics.text(), /headrace_validation_total\{route="\/\*",side="request",result="unread"\} 1/)
})

void test("a browser's question about a documented path is for the upstream to answer", {
  timeout: PATIENCE,
}, async (t) => {
  const { gateway, asked } = await validating(t, { validate: true }, () => [204, '', ''])
  const client = await gateway.client('h1')
  const ask = (path: string, ...names: string[]): ReturnType<typeof client.request> =>
    client.request({ method: 'OPTIONS', path, fields: names.map((name) => [name, 'GET']) })
  t.equal((await ask('/orders/7', 'origin', 'access-control-request-method')).status, 204)
  isProblem(t, await ask('/orders/7', 'origin'), 405)
  isProblem(t, await ask('/elsewhere', 'origin', 'access-control-request-method'), 404)
  t.same(asked(), ['OPTIONS /orders/7'])
})

void test('a body that turns out to be empty is none', { timeout: PATIENCE }, async (t) => {
  const { gateway } = await validating(t, { validate: true }, () => [204, '', ''])
  const client = await gateway.client('h1')
  const fields: ClientRequest['fields'] = [['content-type', 'application/json']]
  for (const [path, status] of [
    ['/optional', 204],
    ['/orders', 400],
  ] as const) {
    const open = await client.open({ method: 'POST', path, fields, streamBody: true })
    open.end()
    const answer = await open.response.whole()
    t.equal(answer.status, status, path)
    if (status === 400) t.same(errorsOf(answer.body), [{ in: 'body', pointer: '', message: 'is missing' }])
  }
})

void test('who waits to be asked for a body is refused before, where the head is wrong', {
  timeout: PATIENCE,
}, async (t) => {
  const { gateway } = await validating(t, { validate: true })
  const client = await gateway.client('h1')
  const waiting = await client.open({
    ...post('', '/orders?dry=maybe'),
    fields: [
      ['content-type', 'application/json'],
      ['content-length', '9'],
      ['expect', '100-continue'],
    ],
    streamBody: true,
  })
  const answer = await waiting.response.whole()
  isProblem(t, answer, 400)
  t.same(errorsOf(answer.body), [{ in: 'query', pointer: '/dry', message: 'must be boolean' }])
})

void test('in log nothing is refused, and what is large or streams goes by', { timeout: PATIENCE }, async (t) => {
  const { gateway, upstream } = await validating(
    t,
    { validate: { requests: 'log', responses: 'log', bodySize: '64B' } },
    (path) => [200, 'application/json', path === '/orders/8' ? `{"pad":"${'x'.repeat(5_000)}"}` : BAD],
  )
  const client = await gateway.client('h1')
  t.equal((await client.request({ path: '/orders/7' })).body.toString(), BAD)
  t.equal((await client.request({ path: '/orders/8' })).body.length, 5_010)
  t.equal((await client.request({ path: '/elsewhere' })).status, 200)
  const streamed = await client.open({
    method: 'POST',
    path: '/orders',
    fields: [['content-type', 'application/json']],
    streamBody: true,
  })
  for (let i = 0; i < 10; i++) await streamed.write(`${i}${' '.repeat(49)}`)
  streamed.end()
  t.equal((await streamed.response.whole()).status, 200)
  const last = upstream.requests.at(-1)
  t.equal(last?.body.toString().replaceAll(' ', ''), '0123456789')
  t.equal(last?.body.length, 500)
})

void test('what is too large, or coded, to be validated is refused where that is enforced', {
  timeout: PATIENCE,
}, async (t) => {
  const { gateway, asked } = await validating(t, { validate: { bodySize: '64B' } })
  const client = await gateway.client('h1')
  isProblem(t, await client.request(post(`${GOOD}${' '.repeat(64)}`)), 413)
  const streamed = await client.open({
    method: 'POST',
    path: '/orders',
    fields: [['content-type', 'application/json']],
    streamBody: true,
  })
  await streamed.write(' '.repeat(100))
  isProblem(t, await streamed.response.whole(), 413)
  const coded = post(GOOD)
  coded.fields?.push(['content-encoding', 'gzip'])
  isProblem(t, await client.request(coded), 415)
  t.same(asked(), [])
})

for (const validate of [{ requests: 'enforce' }, { requests: 'off', responses: 'enforce' }]) {
  void test(`without a document nothing passes unseen (${JSON.stringify(validate)})`, {
    timeout: PATIENCE,
  }, async (t) => {
    const { gateway } = await gatewayBefore(
      t,
      (exchange) => exchange.respond(exchange.request.target === '/openapi.json' ? 404 : 200, [], 'unseen'),
      { to: { openapi: '/openapi.json' }, route: { validate } },
    )
    const answer = await (await gateway.client('h1')).request({ path: '/orders/7' })
    isProblem(t, answer, 503)
    t.ok(Number(answer.get('retry-after')) > 0)
  })
}

void test('a body of two types is of none', { timeout: PATIENCE }, async (t) => {
  const { gateway, asked } = await validating(t, { validate: true, request: { contentTypes: ['application/json'] } })
  const twice = post('{}')
  twice.fields?.unshift(['content-type', 'application/json'])
  isProblem(t, await (await gateway.client('h1')).request(twice), 415)
  t.same(asked(), [])
})

void test('the drift report says which answers disagree, where, and how often', { timeout: PATIENCE }, async (t) => {
  const { gateway } = await validating(t, { validate: true }, (path) => [
    path === '/orders/9' ? 418 : 200,
    'application/json',
    BAD,
  ])
  const client = await gateway.client('h1')
  for (const path of ['/orders/7', '/orders/7', '/orders/x', '/orders/9']) await client.request({ path })
  const ask = async (query = ''): Promise<{ disagreements: { count: number }[] }> => {
    const url = `${gateway.adminUrl}/performance/openapi/drift${query}`
    const answer = await fetch(url, { headers: { authorization: `Bearer ${gateway.token}` } })
    return (await answer.json()) as { disagreements: { count: number }[] }
  }
  const { disagreements } = await ask('?side=response')
  t.match(disagreements, [
    { upstream: 'origin', operation: 'GET /orders/{id}', status: 200, in: 'body', pointer: '/items/*/sku', count: 2 },
    { status: 418, in: 'status', message: '418 is not declared', count: 1 },
  ])
  t.match((await ask('?side=request')).disagreements, [{ in: 'path', pointer: '/id', message: 'must be integer' }])
  const metrics = await fetch(`${gateway.adminUrl}/metrics`, { headers: { authorization: `Bearer ${gateway.token}` } })
  const text = await metrics.text()
  t.match(text, /headrace_validation_total\{route="\/\*",side="response",result="noted"\} 3/)
  t.notMatch(JSON.stringify(disagreements), /hunter2/)
})

void test('an answer is judged as well where several targets may be asked', { timeout: PATIENCE }, async (t) => {
  const { gateway, asked } = await validating(
    t,
    { hedge: { after: '7s' }, validate: { responses: 'enforce' } },
    (path) => [path === '/orders/7' ? 202 : 200, 'application/json', path === '/orders/8' ? BAD : GOOD],
  )
  const client = await gateway.client('h1')
  isProblem(t, await client.request({ path: '/orders/7' }), 502)
  isProblem(t, await client.request({ path: '/orders/8' }), 502)
  t.equal((await client.request({ path: '/orders/9' })).body.toString(), GOOD)
  t.equal(asked().length, 3)
})
