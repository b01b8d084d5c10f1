import { everyProtocol, gatewayBefore, isProblem } from '../helper.ts'

everyProtocol(
  'a body without a length is cut off where it becomes larger than its route takes',
  async (t, protocol) => {
    const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.request.body, {
      route: { request: { bodySize: '1KiB' } },
    })
    const client = await gateway.client(protocol)
    const exchange = await client.open({ method: 'POST', path: '/', streamBody: true })
    await exchange.write(Buffer.alloc(512))
    await exchange.write(Buffer.alloc(600))
    const answer = await exchange.response.whole()
    isProblem(t, answer, 413)
    t.match(answer.body.toString(), /1024 bytes/)
    t.ok(upstream.requests.every(({ complete }) => !complete))
  },
)

everyProtocol('a route that takes some methods sends no other one on in a field', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond(), {
    route: { request: { methods: ['POST'] } },
  })
  const client = await gateway.client(protocol)
  await client.request({ method: 'POST', path: '/', fields: [['x-http-method-override', 'DELETE']] })
  const [got] = upstream.requests
  t.match([got?.method, got?.get('x-http-method-override')], ['POST', undefined])
})
