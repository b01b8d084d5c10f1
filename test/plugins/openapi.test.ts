import Fastify, { type FastifyInstance } from 'fastify'
import { test, type Test } from 'tap'
import { Type } from 'typebox'
import openapi, { type OpenapiOptions } from '../../plugins/openapi.ts'
import type { JsonObject } from '../../services/openapi/document.ts'
import { resolveRoute } from '../../services/routing/options.ts'
import { violations } from '../services/openapi/invariants.ts'

const fleet = {
  openapi: '3.0.3',
  info: { title: 'Fleet API', version: '2.4.0' },
  paths: {
    '/vehicles': { get: { responses: { 200: { description: 'ok' } } } },
    '/health': { get: { responses: {} } },
    '/docs/json': { get: { responses: {} } },
    '/openapi.json': { get: { responses: {} } },
  },
}
const through = (key: string, stripPrefix = false) =>
  resolveRoute(key, {
    to: 'fleet',
    stripPrefix,
    encodedSlash: 'opaque',
    cache: false,
    mock: false,
    maintenance: false,
    docs: true,
    websocket: true,
  })

async function build(t: Test, options: Partial<OpenapiOptions> = {}): Promise<FastifyInstance> {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(openapi, {
    docs: '/docs',
    openapi: '/openapi.json',
    info: { title: 'Headrace', version: '0.1.0', description: 'A gateway' },
    upstreams: [{ name: 'fleet', targets: [], openapi: '/openapi.json' }],
    routes: [through('/api/*', true)],
    request: async () => ({
      status: 200,
      body: (async function* () {
        yield Buffer.from(JSON.stringify(fleet))
      })(),
    }),
    ...options,
  })
  const status = Type.Object({ status: Type.Literal('ok'), since: Type.Union([Type.String(), Type.Null()]) })
  app.get('/health', { schema: { tags: ['Health'], response: { 200: status } } }, async () => ({
    status: 'ok' as const,
    since: null,
  }))
  app.get('/performance/pools', { schema: { tags: ['Performance'] } }, async () => ({}))
  app.get('/proxied/*', async () => 'not an operation')
  return app
}

const fetched = async (app: FastifyInstance, url = '/openapi.json'): Promise<JsonObject> =>
  (await app.inject(url)).json()

void test('the document holds the upstream and the gateway, and the pages serve the same one', async (t) => {
  const app = await build(t)
  const document = await fetched(app)
  t.same(Object.keys(document['paths'] as JsonObject), [
    '/api/vehicles',
    '/api/health',
    '/api/docs/json',
    '/api/openapi.json',
    '/health',
    '/performance/pools',
  ])
  t.match(document, { openapi: '3.1.0', info: { title: 'Fleet API' } })
  t.same(violations(document), [])
  t.same(await fetched(app, '/docs/json'), document)
  t.match((await app.inject('/docs/yaml')).body, /openapi: 3\.1\.0/)
})

void test("an upstream's operations that the gateway's own endpoints take are not shown", async (t) => {
  const app = await build(t, { routes: [through('/*')] })
  t.same(Object.keys((await fetched(app))['paths'] as JsonObject), ['/vehicles', '/health', '/performance/pools'])
})

void test('protected routes want the token, in the document and so in Authorize', async (t) => {
  const app = await build(t, { protectedPaths: ['/performance'] })
  t.match(await fetched(app), {
    paths: { '/performance/pools': { get: { security: [{ adminToken: [] }] } } },
    components: { securitySchemes: { adminToken: { type: 'http', scheme: 'bearer' } } },
  })
  t.equal(((await fetched(app))['paths'] as { '/health': { get: JsonObject } })['/health'].get['security'], undefined)
})

void test('the other plane is linked once its address is known', async (t) => {
  let url: string | undefined
  const app = await build(t, { related: () => (url === undefined ? null : { title: 'The control plane', url }) })
  t.equal((await fetched(app))['externalDocs'], undefined)
  url = 'http://127.0.0.1:9090/docs'
  t.match(await fetched(app), {
    externalDocs: { url },
    info: { description: /\[http:\/\/127\.0\.0\.1:9090\/docs\]/ },
  })
})

void test('the document has a tag, answers 304 to who knows it, and HEAD without a body', async (t) => {
  const app = await build(t)
  const full = await app.inject('/openapi.json')
  t.equal(full.headers['content-type'], 'application/json; charset=utf-8')
  const etag = String(full.headers.etag)
  const known = await app.inject({ url: '/openapi.json', headers: { 'if-none-match': `"other", W/${etag}` } })
  t.same([known.statusCode, known.body, known.headers.etag], [304, '', etag])
  const head = await app.inject({ method: 'HEAD', url: '/openapi.json' })
  t.same([head.statusCode, head.body, head.headers['content-length']], [200, '', String(full.rawPayload.length)])
})

void test('the page and its assets come from here alone, wherever it is put', async (t) => {
  for (const docs of ['/docs', '/a/b/', '/']) {
    const app = await build(t, { docs })
    const page = await app.inject(docs)
    t.equal(page.statusCode, 200, docs)
    t.notMatch(page.body, /https?:\/\//, 'no address of elsewhere')
    for (const [, asset] of page.body.matchAll(/(?:src|href)="([^"]+)"/g)) {
      const { pathname } = new URL(asset as string, `http://gateway.example${docs}`)
      t.equal((await app.inject(pathname)).statusCode, 200, pathname)
    }
    t.equal((await app.inject({ method: 'HEAD', url: docs })).statusCode, 200)
  }
})

void test('both can be switched off, and the document is still there for the command line', async (t) => {
  const app = await build(t, { docs: false, openapi: false })
  await app.ready()
  for (const url of ['/docs', '/docs/json', '/openapi.json']) t.equal((await app.inject(url)).statusCode, 404, url)
  t.match((await app.openapiDocument.current()).document, { info: { title: 'Fleet API' } })
})

void test('an upstream that cannot be asked costs its operations and nothing else', async (t) => {
  const app = await build(t, { request: () => Promise.reject(new Error('connect ECONNREFUSED')) })
  const document = await fetched(app)
  t.same(Object.keys(document['paths'] as JsonObject), ['/health', '/performance/pools'])
  t.match(document, { info: { title: 'Headrace', description: /not available/ } })
})

void test('registered in a scope, it documents that scope and shows its decorator there alone', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.get('/outside', async () => 'outside')
  await app.register(async (scope) => {
    await scope.register(openapi, {
      docs: false,
      openapi: '/openapi.json',
      info: { title: 'Scope', version: '1', description: '' },
    })
    scope.get('/inside', async () => 'inside')
  })
  t.same(Object.keys((await fetched(app))['paths'] as JsonObject), ['/inside'])
  t.equal(app.hasDecorator('openapiDocument'), false)
})
