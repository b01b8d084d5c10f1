import Fastify, { type FastifyInstance, type FastifySchema } from 'fastify'
import { test, type Test } from 'tap'
import lazySchemas from '../../plugins/lazy-schemas.ts'

/** A page with a schema, in the plugin's scope. */
async function build(t: Test, schema: FastifySchema): Promise<FastifyInstance> {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(async (scope) => {
    await scope.register(lazySchemas)
    await scope.register(async (child) => {
      child.get('/page', { schema }, async (request) => ({ ...(request.query as object), secret: 1 }))
    })
  })
  return app
}

const number = (name: string) => ({ type: 'object', properties: { [name]: { type: 'number' } } })

void test('what a request holds is validated and converted, and each complaint belongs to its request', async (t) => {
  const app = await build(t, { querystring: number('n') })
  const answers = await Promise.all(['n=5', 'n=x', 'n=6'].map((query) => app.inject(`/page?${query}`)))
  t.match(
    answers.map((answer) => answer.json()),
    [{ n: 5 }, { statusCode: 400, message: 'querystring/n must be number' }, { n: 6 }],
  )
})

void test('an answer holds what its schema says, and no more', async (t) => {
  const app = await build(t, { querystring: number('n'), response: { 200: number('n') } })
  for (const n of [5, 6]) t.equal((await app.inject(`/page?n=${n}`)).body, `{"n":${n}}`)
})

void test('a schema is compiled when it is needed, and only then', async (t) => {
  const broken = { type: 'no such type' }
  const app = await build(t, { response: { 200: broken } })
  await app.ready()
  t.match((await app.inject('/page')).json(), { statusCode: 500, message: /type/ })
})

void test('scopes beside it and around it compile at the start, as Fastify does', async (t) => {
  const app = await build(t, {})
  app.get('/other', { schema: { response: { 200: { type: 'no such type' } } } }, async () => ({}))
  await t.rejects(async () => app.ready(), { code: 'FST_ERR_SCH_SERIALIZATION_BUILD' })
})
