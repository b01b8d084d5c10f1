import { test } from 'tap'
import { httpServer } from '../../cli/running.ts'
import { gatewayBefore, isProblem, PATIENCE } from '../../helper.ts'

void test('a service says who calls; what only it may say, no client can, on any route', {
  timeout: PATIENCE,
}, async (t) => {
  const asked: string[] = []
  const service = await httpServer(t, (request, response) => {
    asked.push(String(request.headers['x-forwarded-uri']))
    if (request.headers.authorization !== 'good') response.writeHead(401, { 'www-authenticate': 'Magic' }).end('no')
    else {
      const fields = { 'x-auth-request-user': 'ada', 'x-email': 'ada@example.com', 'cache-control': 'max-age=600' }
      response.writeHead(200, fields).end()
    }
  })
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond(), {
    config: {
      access: { forward: { sso: { url: `${service}/verify`, copy: ['X-Email'] } } },
      routes: { '/closed/*': { to: 'origin', access: ['forward:sso'] }, '/open/*': { to: 'origin' } },
    },
  })
  const client = await gateway.client('h1')
  const forged: [string, string][] = [
    ['X-Email', 'root@example.com'],
    ['x_email', 'root@example.com'],
  ]
  const good: [string, string][] = [['Authorization', 'good'], ...forged]
  t.equal((await client.request({ path: '/closed/a?b=c', fields: good })).status, 200)
  t.equal((await client.request({ path: '/closed/a?b=c', fields: good })).status, 200)
  t.same(asked, ['/closed/a?b=c'], 'the second time from memory')
  t.equal((await client.request({ path: '/open/a', fields: forged })).status, 200)
  const emails = upstream.requests.map(({ fields }) => fields.filter(([name]) => /^x.email$/i.test(name)))
  t.same(emails, [[['x-email', 'ada@example.com']], [['x-email', 'ada@example.com']], []])
  t.equal(upstream.requests[0]?.get('x-consumer-id'), 'sso|ada')

  const refused = await client.request({ path: '/closed/a' })
  t.equal(refused.status, 401)
  t.equal(refused.get('www-authenticate'), 'Magic')
  t.equal(refused.body.toString(), 'no')
  t.equal(upstream.requests.length, 3)
})

void test('where the service is away nobody gets through', { timeout: PATIENCE }, async (t) => {
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond(), {
    route: { access: ['forward:sso'] },
    config: { access: { forward: { sso: { url: 'http://127.0.0.1:1/verify' } } } },
  })
  const client = await gateway.client('h1')
  isProblem(t, await client.request({ path: '/' }), 503)
  t.equal(upstream.requests.length, 0)
})
