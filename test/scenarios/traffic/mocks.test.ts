import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type Test } from 'tap'
import { request } from 'undici'
import { decoded } from '../../decode.ts'
import { everyProtocol, isProblem, PATIENCE, startManagedGateway, startGateway } from '../../helper.ts'
import { startUpstream } from '../../upstream-server.ts'
import { until } from '../../until.ts'

const DOCUMENT = {
  openapi: '3.0.3',
  info: { title: 'Orders', version: '1' },
  paths: {
    '/orders/{id}': {
      get: {
        responses: {
          200: {
            description: 'ok',
            content: {
              'application/json': {
                examples: { open: { value: { state: 'open' } }, paid: { value: { state: 'paid' } } },
              },
            },
          },
          404: { description: 'none', content: { 'application/problem+json': { example: { title: 'none' } } } },
        },
      },
      put: { responses: { 204: { description: 'done' } } },
    },
  },
}

/** A file with a text in it. Not in the test's own folder, which the gateway's certificate takes. */
function fileOf(t: Test, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-mocks-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'openapi.json')
  writeFileSync(file, text)
  return file
}

everyProtocol('a mocked route answers from a file, by what its client prefers', async (t, protocol) => {
  const file = fileOf(t, JSON.stringify(DOCUMENT))
  const gateway = await startGateway(t, {
    routes: {
      '/api/*': { mock: file, stripPrefix: true },
      '/paid/*': { mock: { document: file, example: 'paid' }, rewrite: '/orders/*' },
    },
  })
  const client = await gateway.client(protocol)
  const ask = async (path: string, prefer?: string, method = 'GET') => {
    const answer = await client.request({ method, path, fields: prefer === undefined ? [] : [['Prefer', prefer]] })
    return { answer, told: [answer.status, String(answer.body)] }
  }
  const first = await ask('/api/orders/7?x=1')
  t.strictSame(first.told, [200, '{"state":"open"}'])
  t.equal(first.answer.get('x-headrace-mock'), '1')
  t.equal(first.answer.get('vary'), 'prefer, accept')
  t.equal(first.answer.get('preference-applied'), undefined)
  const preferred = await ask('/api/orders/7', 'code=404, example=other')
  isProblem(t, preferred.answer, 501)
  t.match(JSON.parse(String(preferred.answer.body)), { code: 'HR_MOCK_EXAMPLE', detail: /no example named 'other'/ })
  const gone = await ask('/api/orders/7', 'code=404')
  t.strictSame(gone.told, [404, '{"title":"none"}'])
  t.equal(gone.answer.get('preference-applied'), 'code=404')
  t.strictSame((await ask('/paid/7')).told, [200, '{"state":"paid"}'])
  t.strictSame(
    (await ask('/paid/7', 'code=404')).told,
    [404, '{"title":"none"}'],
    'a name is for the status that has it',
  )
  t.strictSame((await ask('/api/orders/7', undefined, 'HEAD')).told, [200, ''])
  t.strictSame((await ask('/api/orders/7', undefined, 'PUT')).told, [204, ''])
  isProblem(t, (await ask('/api/customers/7')).answer, 404)
})

void test('a mocked route takes the document of its upstream, and asks it for nothing else', {
  timeout: PATIENCE,
}, async (t) => {
  const origin = await startUpstream(t, (exchange) => exchange.respond(200, [], JSON.stringify(DOCUMENT)))
  const gateway = await startGateway(t, {
    upstreams: { orders: { targets: [origin.origin], openapi: '/openapi.json' } },
    routes: { '/*': { to: 'orders', mock: true } },
    endpoints: { openapi: false, docs: false },
  })
  const client = await gateway.client('h1')
  const answer = await client.request({ path: '/orders/7' })
  t.strictSame([answer.status, String(answer.body)], [200, '{"state":"open"}'])
  t.same(new Set(origin.requests.map(({ target }) => target)), new Set(['/openapi.json']))
})

void test('a document that cannot be had, or is none, is told, and keeps no other waiting', {
  timeout: PATIENCE,
}, async (t) => {
  const gateway = await startGateway(t, {
    upstreams: { gone: { targets: ['http://127.0.0.1:1'], openapi: '/openapi.json', required: false } },
    routes: {
      '/gone/*': { to: 'gone', mock: true },
      '/broken/*': { mock: fileOf(t, '{ "swagger": "2.0" }') },
      '/good/*': { mock: fileOf(t, JSON.stringify(DOCUMENT)), stripPrefix: true },
    },
  })
  const client = await gateway.client('h1')
  for (const [path, detail] of [
    ['/gone/x', /the document '\/openapi\.json of gone', which cannot be had/],
    ['/broken/x', /the document 'openapi\.json', which is Swagger 2\.0/],
  ] as const) {
    const answer = await client.request({ path })
    isProblem(t, answer, 503)
    t.equal(answer.get('retry-after'), '5')
    t.match(JSON.parse(String(answer.body)), { code: 'HR_MOCK_DOCUMENT', detail })
  }
  t.equal((await client.request({ path: '/good/orders/7' })).status, 200)
})

void test('a client that leaves before the document has come is booked, and nobody else', {
  timeout: PATIENCE,
}, async (t) => {
  const origin = await startUpstream(t, (exchange) => exchange.stall())
  const gateway = await startManagedGateway(t, {
    upstreams: { orders: { targets: [origin.origin], openapi: '/openapi.json' } },
    routes: { '/*': { to: 'orders', mock: true } },
    endpoints: { openapi: false, docs: false },
  })
  await origin.received(1)
  for (const protocol of ['h1', 'h2'] as const) {
    const exchange = await (await gateway.client(protocol)).open({ path: '/orders/7' })
    exchange.abort()
  }
  const left = async (): Promise<number> => {
    const { body } = await request(`${gateway.adminUrl}/metrics`, { headers: { authorization: 'Bearer test-token' } })
    const lines = (await body.text()).split('\n')
    return Number(
      lines.find((line) => line.startsWith('headrace_requests_total{') && line.includes('"499"'))?.split(' ')[1],
    )
  }
  await until(async () => (await left()) === 2)
  t.pass('both have been counted')
})

everyProtocol('a mock is compressed as its client likes it', async (t, protocol) => {
  const file = fileOf(t, JSON.stringify(DOCUMENT))
  const gateway = await startGateway(t, {
    routes: { '/*': { mock: file, compression: { threshold: '4B', codings: ['gzip'] } } },
  })
  const client = await gateway.client(protocol)
  const ask = (method: string) =>
    client.request({
      method,
      path: '/orders/7',
      fields: [
        ['Accept-Encoding', 'gzip'],
        ['Prefer', 'code=404'],
      ],
    })
  const answer = await ask('GET')
  t.strictSame([answer.status, decoded(answer)], [404, '{"title":"none"}'])
  const vary = answer.fields.filter(([name]) => name.toLowerCase() === 'vary').map(([, value]) => value.toLowerCase())
  t.strictSame(vary.join(', ').split(', ').toSorted(), ['accept', 'accept-encoding', 'prefer'])
})
