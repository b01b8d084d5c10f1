import Fastify, { type FastifyInstance } from 'fastify'
import { test, type Test } from 'tap'
import errors from '../../plugins/errors.ts'
import { QueueFullError } from '../../services/upstream/errors.ts'
import type { GatewayError } from '../../services/http/problem.ts'

async function failing(
  t: Test,
  extend?: (app: FastifyInstance) => unknown,
): Promise<{ app: FastifyInstance; lines: string[] }> {
  const lines: string[] = []
  const app = Fastify({ logger: { level: 'error', stream: { write: (line: string) => void lines.push(line) } } })
  t.teardown(() => app.close())
  await app.register(errors)
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
    t.match(JSON.parse(lines[0] as string), { reqId: response.json().requestId }, 'found by the id')
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
  t.match(response.json(), { status: 404, code: 'HR_ROUTE_NOT_FOUND', detail: /GET \/none\./ })
  t.notMatch(response.body, 'secret')
  const head = await app.inject({ method: 'HEAD', url: '/none' })
  t.equal(head.body, '')
  t.equal(head.statusCode, 404)
})
