import type { Test } from 'tap'
import type { Protocol } from '../../client.ts'
import { gatewayBeforeH2 } from '../../h2-upstream.ts'
import { everyProtocol } from '../../helper.ts'

/** Of an upstream over TLS, and of one in cleartext. */
const bothWays = (name: string, body: (t: Test, protocol: Protocol) => Promise<void>): void =>
  everyProtocol(name, body, ['h1', 'h2c'])

const SHORT = '50ms'

bothWays('an upstream that goes away and comes back is reached again', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBeforeH2(t, ({ stream }) => {
    stream.respond({ ':status': 200 })
    stream.end('answer')
  })
  const client = await gateway.client(protocol)
  t.equal((await client.request({ path: '/' })).status, 200)
  upstream.sessions[0]?.destroy()
  await upstream.sessionsClosed(1)
  t.equal((await client.request({ path: '/' })).body.toString(), 'answer')
  upstream.sessions[1]?.close()
  await upstream.sessionsClosed(2)
  t.equal((await client.request({ path: '/' })).body.toString(), 'answer')
})

bothWays('an idle connection is closed after keepAlive, and the next request opens another', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBeforeH2(
    t,
    ({ stream }) => {
      stream.respond({ ':status': 200 })
      stream.end('answer')
    },
    { to: { keepAlive: SHORT } },
  )
  const client = await gateway.client(protocol)
  t.equal((await client.request({ path: '/' })).body.toString(), 'answer')
  await upstream.sessionsClosed(1)
  t.equal((await client.request({ path: '/' })).body.toString(), 'answer')
  t.equal(upstream.sessions.length, 2)
})
