import { test } from 'tap'
import { gatewayBeforeH2 } from '../../h2-upstream.ts'
import { PATIENCE } from '../../helper.ts'

const SHORT = '50ms'

void test('an upstream that goes away and comes back is reached again', { timeout: PATIENCE }, async (t) => {
  const { gateway, upstream } = await gatewayBeforeH2(t, ({ stream }) => {
    stream.respond({ ':status': 200 })
    stream.end('answer')
  })
  const client = await gateway.client('h1')
  t.equal((await client.request({ path: '/' })).status, 200)
  upstream.sessions[0]?.destroy()
  await upstream.sessionsClosed(1)
  t.equal((await client.request({ path: '/' })).body.toString(), 'answer')
  upstream.sessions[1]?.close()
  await upstream.sessionsClosed(2)
  t.equal((await client.request({ path: '/' })).body.toString(), 'answer')
})

void test('an idle connection is closed after keepAlive, and the next request opens another', {
  timeout: PATIENCE,
}, async (t) => {
  const { gateway, upstream } = await gatewayBeforeH2(
    t,
    ({ stream }) => {
      stream.respond({ ':status': 200 })
      stream.end('answer')
    },
    { to: { keepAlive: SHORT } },
  )
  const client = await gateway.client('h1')
  t.equal((await client.request({ path: '/' })).body.toString(), 'answer')
  await upstream.sessionsClosed(1)
  t.equal((await client.request({ path: '/' })).body.toString(), 'answer')
  t.equal(upstream.sessions.length, 2)
})
