import Fastify, { type FastifyInstance } from 'fastify'
import { test, type Test } from 'tap'
import adminToken from '../../plugins/admin-token.ts'

async function guarded(t: Test, token: string): Promise<FastifyInstance> {
  const fastify = Fastify()
  t.teardown(() => fastify.close())
  await fastify.register(adminToken, { token })
  await fastify.register(async (scope) => {
    scope.addHook('onRequest', scope.adminGuard)
    scope.get('/performance', async () => 'admin')
  })
  fastify.get('/public', async () => 'public')
  return fastify
}

void test('the right token passes, with any case of the scheme', async (t) => {
  const fastify = await guarded(t, 'p@ss/word=')
  for (const authorization of ['Bearer p@ss/word=', 'bearer p@ss/word=', 'BEARER  p@ss/word= ']) {
    const { statusCode, body } = await fastify.inject({ url: '/performance', headers: { authorization } })
    t.strictSame([statusCode, body], [200, 'admin'], authorization)
  }
})

void test('everything else is refused with 401 and a challenge', async (t) => {
  const fastify = await guarded(t, 'secret')
  for (const authorization of [undefined, '', 'Bearer', 'Bearer ', 'Basic c2VjcmV0', 'secret', 'Bearer secret x']) {
    const headers = authorization === undefined ? {} : { authorization }
    const response = await fastify.inject({ url: '/performance', headers })
    t.equal(response.statusCode, 401, String(authorization))
    t.equal(response.headers['www-authenticate'], 'Bearer realm="headrace"')
    t.match(response.json(), { code: 'HR_ADMIN_UNAUTHORIZED' })
  }
  for (const wrong of ['Secret', 'secre', 'secretx', 'x'.repeat(10_000)]) {
    const response = await fastify.inject({ url: '/performance', headers: { authorization: `Bearer ${wrong}` } })
    t.equal(response.statusCode, 401)
    t.equal(response.headers['www-authenticate'], 'Bearer realm="headrace", error="invalid_token"')
    t.notOk(response.body.includes(wrong), 'what was sent is not echoed')
  }
})

void test('what is behind it is kept by no cache, unless the page says otherwise', async (t) => {
  const fastify = await guarded(t, 'secret')
  await fastify.register(async (scope) => {
    scope.addHook('onRequest', scope.adminGuard)
    scope.get('/kept', async (_request, reply) => reply.header('cache-control', 'max-age=1').send('kept'))
  })
  const cacheControl = async (url: string, headers: Record<string, string>): Promise<unknown> =>
    (await fastify.inject({ url, headers })).headers['cache-control']
  const authorization = { authorization: 'Bearer secret' }
  t.equal(await cacheControl('/performance', authorization), 'no-store')
  t.equal(await cacheControl('/performance', {}), 'no-store', 'a refusal')
  t.equal(await cacheControl('/kept', authorization), 'max-age=1')
  t.equal(await cacheControl('/public', {}), undefined)
})

void test('an empty token lets nobody in', async (t) => {
  const fastify = await guarded(t, '')
  const response = await fastify.inject({ url: '/performance', headers: { authorization: 'Bearer ' } })
  t.equal(response.statusCode, 401)
})

void test('the plugin guards nothing that does not ask for it', async (t) => {
  const fastify = await guarded(t, 'secret')
  t.equal((await fastify.inject('/public')).statusCode, 200)
})

void test('a token with scopes is for some of it', async (t) => {
  const fastify = Fastify()
  t.teardown(() => fastify.close())
  const limited = (['read', 'operate', 'configure'] as const).map((scope) => ({
    bearer: `for-${scope}`,
    grants: [scope],
  }))
  await fastify.register(adminToken, { token: 'secret', limited })
  await fastify.register(async (scope) => {
    scope.addHook('onRequest', scope.adminGuard)
    scope.get('/looked-at', async () => 'seen')
    scope.put('/changed', async () => 'changed')
    scope.post('/replaced', { config: { scope: 'configure' } }, async () => 'replaced')
  })
  const wants = {
    'GET /looked-at': 'read',
    'HEAD /looked-at': 'read',
    'PUT /changed': 'operate',
    'POST /replaced': 'configure',
  }
  for (const [route, wanted] of Object.entries(wants)) {
    const [method, url] = route.split(' ') as ['GET', string]
    for (const [token, has] of [['secret', wanted], ...limited.map(({ bearer, grants }) => [bearer, grants[0]])]) {
      const response = await fastify.inject({ method, url, headers: { authorization: `Bearer ${token}` } })
      t.equal(response.statusCode, has === wanted ? 200 : 403, `${route} with ${token}`)
      if (has === wanted) continue
      const challenge = `Bearer realm="headrace", error="insufficient_scope", scope="${wanted}"`
      t.equal(response.headers['www-authenticate'], challenge)
      if (method !== ('HEAD' as string)) t.match(response.json(), { code: 'HR_ADMIN_SCOPE' })
    }
  }
})
