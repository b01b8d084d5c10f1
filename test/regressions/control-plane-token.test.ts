import { test } from 'tap'
import { gatewayBefore } from '../helper.ts'

void test('a mistyped path of a shared control plane does not take its token to an upstream', async (t) => {
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond(200), {
    config: { admin: { shared: true, token: 'secret-token' } },
  })
  const client = await gateway.client('h1')
  for (const path of ['/performance/typo', '/performance', '/api/v1/performance/x', '/metrics/x']) {
    const { status } = await client.request({ path, fields: [['authorization', 'Bearer secret-token']] })
    t.equal(status, 404, path)
  }
  t.equal(upstream.requests.length, 0)
})
