import { everyProtocol, gatewayBefore } from '../helper.ts'
import { standstill } from '../signal.ts'
import { LONGER_MS, pass, SHORT } from '../standing-clock.ts'

everyProtocol(
  'a client that never reads a large answer is cut off, and its upstream connection is free',
  async (t, protocol) => {
    let accepted = (): number => 0
    const { gateway, upstream } = await gatewayBefore(
      t,
      async (exchange) => {
        accepted = () => exchange.accepted
        await exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n')
        // More than every buffer on the way holds; the gateway closes before it is all sent.
        for (let i = 0; i < 64; i++) await exchange.send(Buffer.alloc(1_048_576, 'x')).catch(() => {})
      },
      { config: { limits: { sendTimeout: SHORT } } },
    )
    const exchange = await (await gateway.client(protocol)).open({ path: '/' })
    exchange.pause()
    await upstream.received(1)
    await standstill(() => accepted())
    await pass(LONGER_MS)
    await upstream.closed(0)
    t.equal(upstream.requests.length, 1)
  },
)
