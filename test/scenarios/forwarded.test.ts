import { test } from 'tap'
import { everyProtocol, gatewayBefore, PATIENCE } from '../helper.ts'
import type { Field } from '../wire.ts'

const TRUSTING = { config: { forwarded: { trust: ['loopback'] } } }
const CLAIM: Field = ['Forwarded', 'for="[2001:db8::1]:4711";host=public.test;proto=https']

everyProtocol('Forwarded of a trusted proxy is believed, and not mixed with X-Forwarded-*', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond(), TRUSTING)
  const client = await gateway.client(protocol)
  await client.request({ path: '/', fields: [CLAIM] })
  const alone = await upstream.received(1)
  t.equal(alone.get('x-forwarded-for'), '2001:db8::1, 127.0.0.1')
  t.equal(alone.get('x-forwarded-proto'), 'https')
  t.equal(alone.get('x-forwarded-host'), 'public.test')
  t.match(alone.get('forwarded'), /^for="\[2001:db8::1\]:4711";host=public\.test;proto=https, for=127\.0\.0\.1;/)

  await client.request({ path: '/', fields: [CLAIM, ['X-Forwarded-For', '203.0.113.5']] })
  const both = await upstream.received(2)
  t.equal(both.get('x-forwarded-for'), '203.0.113.5, 127.0.0.1')
  t.match(both.get('forwarded'), /^for=203\.0\.113\.5;proto=https?, for=127\.0\.0\.1;/)
})

everyProtocol('Forwarded of a stranger is replaced', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond())
  await (await gateway.client(protocol)).request({ path: '/', fields: [CLAIM] })
  const request = await upstream.received(1)
  t.match(request.get('forwarded'), /^for=127\.0\.0\.1;host="gateway\.test";proto=https?$/)
  t.equal(request.get('x-forwarded-for'), '127.0.0.1')
})

void test('HTTP/1.0 without Host: the upstream gets its own name, and no empty host', {
  timeout: PATIENCE,
}, async (t) => {
  for (const host of ['preserve', 'upstream']) {
    const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond(), { to: { host } })
    const raw = await gateway.raw()
    t.equal((await raw.exchange('GET / HTTP/1.0\r\n\r\n')).status, 200)
    const request = await upstream.received(1)
    t.equal(request.get('host'), upstream.origin.slice('http://'.length))
    t.equal(request.get('x-forwarded-host'), undefined)
    t.equal(request.get('forwarded'), 'for=127.0.0.1;proto=http')
  }
})
