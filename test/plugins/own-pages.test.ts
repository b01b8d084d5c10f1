import Fastify, { type FastifyInstance, type InjectOptions } from 'fastify'
import { test, type Test } from 'tap'
import ownPages, { type OwnPagesOptions } from '../../plugins/own-pages.ts'

/** A gateway with a page of its own, and a `/*` route and a not-found handler that stand for what is proxied. */
async function build(t: Test, options: OwnPagesOptions = {}): Promise<FastifyInstance> {
  const app = Fastify()
  t.teardown(() => app.close())
  app.route({
    method: ['GET', 'POST', 'OPTIONS'],
    url: '/api/*',
    handler: async (request, reply) => reply.header('x-upstream', request.method).send('proxied'),
  })
  app.setNotFoundHandler(async (request, reply) => reply.header('x-upstream', request.method).send('fallback'))
  await app.register(async (own) => {
    await own.register(ownPages, options)
    own.get('/page', async () => 'page')
    own.post('/page', async () => 'posted')
    await own.register(async (child) => child.get('/', async () => 'child'), { prefix: '/below' })
  })
  return app
}

const preflight: InjectOptions = {
  method: 'OPTIONS',
  headers: { origin: 'http://elsewhere.example', 'access-control-request-method': 'GET' },
}

void test('pages of the scope carry a content security policy that plain HTTP can live with', async (t) => {
  const app = await build(t, { connectSources: ['*.example.com:*'] })
  const { headers, body } = await app.inject('/page')
  t.equal(body, 'page')
  const policy = String(headers['content-security-policy'])
  t.match(policy, /script-src 'self';/)
  t.match(policy, /connect-src 'self' \*\.example\.com:\*/)
  t.notMatch(policy, /upgrade-insecure-requests/)
  t.equal(headers['x-content-type-options'], 'nosniff')
  t.equal(headers['strict-transport-security'], undefined, 'that is for the whole host, which is not its alone')
})

void test('proxied answers are untouched', async (t) => {
  const app = await build(t)
  for (const url of ['/api/x', '/elsewhere']) {
    const { headers } = await app.inject({ url, headers: { origin: 'http://elsewhere.example' } })
    t.same(
      Object.keys(headers).filter((name) => /^(access-control|content-security|cross-origin|x-frame|vary)/.test(name)),
      [],
      url,
    )
  }
})

void test('preflights to proxied paths pass through, those to pages are answered', async (t) => {
  const app = await build(t)
  for (const url of ['/api/x', '/elsewhere', '/page/below']) {
    const { headers } = await app.inject({ ...preflight, url })
    t.equal(headers['x-upstream'], 'OPTIONS', url)
    t.equal(headers['access-control-allow-origin'], undefined, url)
  }
  const { statusCode, headers } = await app.inject({ ...preflight, url: '/page' })
  t.equal(statusCode, 204)
  t.match(headers, { 'access-control-allow-origin': '*', 'access-control-allow-methods': 'GET, HEAD' })
})

void test('OPTIONS without a preflight names the methods of a page', async (t) => {
  const app = await build(t)
  const page = await app.inject({ method: 'OPTIONS', url: '/page' })
  t.equal(page.statusCode, 204)
  t.equal(page.headers.allow, 'GET, HEAD, OPTIONS, POST')
  const child = await app.inject({ method: 'OPTIONS', url: '/below' })
  t.equal(child.headers.allow, 'GET, HEAD, OPTIONS')
})

void test('origins can be listed, or none be let in', async (t) => {
  const listed = await build(t, { origin: ['http://elsewhere.example'] })
  const answer = await listed.inject({ url: '/page', headers: { origin: 'http://elsewhere.example' } })
  t.equal(answer.headers['access-control-allow-origin'], 'http://elsewhere.example')
  const other = await listed.inject({ url: '/page', headers: { origin: 'http://other.example' } })
  t.equal(other.headers['access-control-allow-origin'], undefined)
  const closed = await build(t, { origin: false })
  const refused = await closed.inject({ ...preflight, url: '/page' })
  t.equal(refused.statusCode, 204)
  t.equal(refused.headers['access-control-allow-origin'], undefined)
})

void test('an OPTIONS route that a page has of its own stays', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(async (own) => {
    await own.register(ownPages, {})
    own.options('/page', async () => 'mine')
    own.get('/page', async () => 'page')
  })
  t.equal((await app.inject({ method: 'OPTIONS', url: '/page' })).body, 'mine')
})
