import { everyProtocol, gatewayBefore, isProblem } from '../helper.ts'

everyProtocol('an upstream that sends interim responses without end is answered 502 for', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBefore(t, async (exchange) => {
    await exchange.send('HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n'.repeat(100))
    await exchange.stall()
  })
  isProblem(t, await (await gateway.client(protocol)).request({ path: '/' }), 502)
  await upstream.closed(0)
})
