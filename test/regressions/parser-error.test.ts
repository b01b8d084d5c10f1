import { everyProtocol, gatewayBefore, isProblem } from '../helper.ts'

everyProtocol(
  'a head that undici refuses without a code is an invalid answer, not a closed connection',
  async (t, protocol) => {
    const { gateway } = await gatewayBefore(t, async (exchange) => {
      await exchange.send('HTTP/1.1 200 OK\r\nX-A: b\rc\r\nContent-Length: 0\r\n\r\n')
      await exchange.stall()
    })
    const response = await (await gateway.client(protocol)).request({ path: '/' })
    isProblem(t, response, 502)
    t.match(response.body.toString(), /HR_UPSTREAM_INVALID_RESPONSE/)
  },
)
