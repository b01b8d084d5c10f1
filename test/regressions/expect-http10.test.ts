import { test } from 'tap'
import { gatewayBefore, PATIENCE } from '../helper.ts'

test('an HTTP/1.0 client gets no 100 Continue, whatever it expects', { timeout: PATIENCE }, async (t) => {
  const { gateway } = await gatewayBefore(t, (exchange) =>
    exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'),
  )
  const raw = await gateway.raw()
  const answer = raw.expect('POST')
  await raw.send('POST / HTTP/1.0\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi')
  const response = await answer.whole()
  t.equal(response.status, 200)
  t.same(
    response.informational.map(({ status }) => status),
    [],
  )
})
