import Fastify, { type FastifyInstance } from 'fastify'
import { test, type Test } from 'tap'
import errors, { answerFrameworkError } from '../../plugins/errors.ts'
import { QueueFullError } from '../../services/upstream/errors.ts'
import { OwnPaths } from '../../services/lane/own-paths.ts'
import type { GatewayError } from '../../services/http/problem.ts'

async function failing(
  t: Test,
  extend?: (app: FastifyInstance) => unknown,
  docs?: string | false,
): Promise<{ app: FastifyInstance; lines: string[] }> {
  const lines: string[] = []
  const app = Fastify({ logger: { level: 'error', stream: { write: (line: string) => void lines.push(line) } } })
  t.teardown(() => app.close())
  const own = new OwnPaths()
  app.addHook('onRoute', ({ url, method }) => own.add(url, [method].flat()))
  await app.register(errors, { own, ...(docs !== undefined && { docs }) })
  await extend?.(app)
  return { app, lines }
}

const throwing = (error: unknown) => (app: FastifyInstance) => {
  app.get('/', async () => {
    throw error
  })
}

void test('an error of ours is told as a problem, with its fields', async (t) => {
  const error: GatewayError = new QueueFullError('fleet')
  error.fields = ['retry-after', '2']
  const { app, lines } = await failing(t, throwing(error))
  const response = await app.inject('/')
  t.equal(response.statusCode, 503)
  t.equal(response.headers['content-type'], 'application/problem+json')
  t.equal(response.headers['cache-control'], 'no-store')
  t.equal(response.headers['retry-after'], '2')
  t.match(response.json(), {
    type: 'about:blank',
    title: 'Service Unavailable',
    status: 503,
    code: 'HR_UPSTREAM_QUEUE_FULL',
    detail: /'fleet'/,
    requestId: /^req-/,
  })
  t.strictSame(lines, [])
})

void test('what went wrong inside is logged, and never told', async (t) => {
  const secret = 'connect to postgres://user:hunter2@10.0.0.1'
  for (const error of [
    new Error(secret),
    Object.assign(new Error(secret), { code: 'FST_X', statusCode: 500 }),
    Object.assign(new Error(secret), { statusCode: 503 }),
  ]) {
    const { app, lines } = await failing(t, throwing(error))
    const response = await app.inject('/')
    t.equal(response.statusCode, 500)
    t.notMatch(response.body, /hunter2|postgres/)
    t.equal(response.json().code, 'HR_INTERNAL')
    t.match(lines.join(''), /hunter2/)
    t.match(JSON.parse(lines[0] as string), { requestId: response.json().requestId }, 'found by the id')
  }
})

void test('a fault of the request is told with a code, whoever found it', async (t) => {
  const { app } = await failing(t, (fastify) => {
    fastify.post('/', { schema: { body: { type: 'object', required: ['a'] } } }, async () => 'ok')
    throwing(Object.assign(new Error('I am a teapot'), { statusCode: 418 }))(fastify)
  })
  const problem = async (options: object) => (await app.inject({ method: 'POST', url: '/', ...options })).json()
  t.match(await problem({ payload: {} }), { status: 400, code: 'FST_ERR_VALIDATION', detail: /'a'/ })
  t.match(await problem({ payload: '{', headers: { 'content-type': 'application/json' } }), {
    status: 400,
    code: /^FST_/,
  })
  t.match(await problem({ payload: 'x', headers: { 'content-type': 'text/x-odd' } }), { status: 415 })
  t.match(await problem({ method: 'GET' }), { status: 418, code: 'HR_REQUEST', detail: 'I am a teapot' })
})

void test('what is thrown and is no error is an internal one', async (t) => {
  for (const thrown of ['text', 7, { statusCode: 400, message: 'odd' }]) {
    const { app } = await failing(t, throwing(thrown))
    const response = await app.inject('/')
    t.equal(response.headers['content-type'], 'application/problem+json')
    t.type(response.json().code, 'string')
  }
})

void test('no route: a problem that names the path without its query', async (t) => {
  const { app } = await failing(t)
  const response = await app.inject('/none?token=secret')
  t.match(response.json(), { status: 404, code: 'HR_ROUTE_NOT_FOUND', detail: /GET \/none;/ })
  t.notMatch(response.body, 'secret')
  const head = await app.inject({ method: 'HEAD', url: '/none' })
  t.equal(head.body, '')
  t.equal(head.statusCode, 404)
})

void test('no route: the documentation is named where there is any', async (t) => {
  const { app } = await failing(t, undefined, '/help')
  const program = await app.inject({ url: '/none', headers: { accept: '*/*' } })
  t.match(program.json(), { code: 'HR_ROUTE_NOT_FOUND', detail: /see \/help for/ })
  t.equal(program.headers.link, '</help>; rel="service-doc"')
  const browser = await app.inject({
    url: '/<script>alert(1)</script>?token=secret',
    headers: { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' },
  })
  t.equal(browser.statusCode, 404)
  t.match(browser.headers, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': /default-src 'none'/,
    'cache-control': 'no-store',
    vary: 'accept',
  })
  t.match(browser.body, /<a href="\/help">/)
  t.notMatch(browser.body, /<script|secret/)
  const { app: silent } = await failing(t, undefined, false)
  const nothing = await silent.inject({ url: '/', headers: { accept: 'text/html' } })
  t.match(nothing.json(), { code: 'HR_ROUTE_NOT_FOUND' })
  t.equal(nothing.headers.link, undefined)
  t.notMatch(nothing.body, 'docs')
})

void test('another method on a path that is there: 405 with what it takes, whatever the body', async (t) => {
  const { app } = await failing(t, (fastify) => fastify.get('/page', async (_request, reply) => reply.callNotFound()))
  const response = await app.inject({
    method: 'POST',
    url: '/page?x=1',
    payload: '{',
    headers: { 'content-type': 'application/json' },
  })
  t.match(response.json(), { status: 405, code: 'HR_ENDPOINT_METHOD', detail: /GET, HEAD/ })
  t.equal(response.headers.allow, 'GET, HEAD')
  t.equal((await app.inject('/page')).json().code, 'HR_ROUTE_NOT_FOUND', 'a page that is not there after all')
})

void test('no route: the body is not read, hooks of the instance have seen the request, a scope may answer itself', async (t) => {
  const seen: string[] = []
  const { app } = await failing(t, (fastify) => {
    fastify.addHook('onRequest', async ({ url }) => void seen.push(url))
    void fastify.register(
      async (scope) => scope.setNotFoundHandler(async (_request, reply) => reply.code(404).send('nothing in here')),
      { prefix: '/scope' },
    )
  })
  const broken = { payload: '{', headers: { 'content-type': 'application/json' } }
  t.equal((await app.inject({ method: 'POST', url: '/none', ...broken })).json().code, 'HR_ROUTE_NOT_FOUND')
  t.equal((await app.inject('/scope/none')).body, 'nothing in here')
  t.strictSame(seen, ['/none', '/scope/none'])
})

void test('what the router refuses before there is a route is a problem too', async (t) => {
  const app = Fastify({ frameworkErrors: answerFrameworkError as never })
  t.teardown(() => app.close())
  await app.register(errors)
  app.get('/jobs/:id', async () => 'a job')
  for (const url of ['/%FF', '/jobs/%FF', `/jobs/${'x'.repeat(101)}`]) {
    const response = await app.inject(url)
    t.equal(response.headers['content-type'], 'application/problem+json', url)
    t.match(response.json(), {
      status: response.statusCode,
      code: /^FST_/,
      requestId: response.headers['x-request-id'],
    })
    t.ok(response.statusCode >= 400 && response.statusCode < 500)
  }
})
