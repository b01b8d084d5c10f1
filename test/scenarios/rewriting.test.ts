import type { Test } from 'tap'
import type { Protocol } from '../client.ts'
import { everyProtocol, gatewayBefore, type SetUp } from '../helper.ts'
import type { Upstream } from '../upstream-server.ts'
import { all } from '../wire.ts'

const STRIP: SetUp = { key: '/api/*', route: { stripPrefix: true } }
const REWRITE: SetUp = { key: 'GET /vehicles/:id', route: { rewrite: '/v2/cars/:id' } }

/** What becomes of one field of the response to `path`. `%o` in the value stands for the upstream's origin, `%a` for it without scheme. */
async function mapped(
  t: Test,
  protocol: Protocol,
  setUp: SetUp,
  path: string,
  name: string,
  value: string,
): Promise<string> {
  let upstream: Upstream | undefined
  const origin = (): string => upstream?.origin ?? ''
  const before = await gatewayBefore(
    t,
    (exchange) =>
      exchange.respond(200, [[name, value.replace('%o', origin()).replace('%a', origin().slice('http:'.length))]]),
    setUp,
  )
  upstream = before.upstream
  const response = await (await before.gateway.client(protocol)).request({ path })
  return all(response.fields, name).join(' | ')
}

everyProtocol('a prefix is stripped from the path sent, the query stays', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond(), STRIP)
  const client = await gateway.client(protocol)
  for (const path of ['/api/vehicles/7?x=/api/', '/api/', '/api//x']) await client.request({ path })
  t.same(
    upstream.requests.map(({ target }) => target),
    ['/vehicles/7?x=/api/', '/', '//x'],
  )
})

everyProtocol('a path is rewritten with the parameters of the route', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond(), REWRITE)
  await (await gateway.client(protocol)).request({ path: '/vehicles/a%2Fb?x=1' })
  t.equal((await upstream.received(1)).target, '/v2/cars/a%2Fb?x=1')
})

const LOCATIONS: [setUp: SetUp, path: string, sent: string, seen: RegExp][] = [
  [STRIP, '/api/x', '/y?z#f', /^\/api\/y\?z#f$/],
  [STRIP, '/api/x', '%o/y', /^(http:\/\/gateway\.test)?\/api\/y$/],
  [STRIP, '/api/x', '%a/y', /^\/\/gateway\.test\/api\/y$/],
  [STRIP, '/api/x', 'https://elsewhere.test/y', /^https:\/\/elsewhere\.test\/y$/],
  [STRIP, '/api/x', '//elsewhere.test/y', /^\/\/elsewhere\.test\/y$/],
  [STRIP, '/api/x', 'relative/y', /^relative\/y$/],
  [REWRITE, '/vehicles/7', '/v2/cars/8', /^\/vehicles\/8$/],
  [REWRITE, '/vehicles/7', '/other/8', /^\/other\/8$/],
]
for (const name of ['Location', 'Content-Location']) {
  everyProtocol(
    `${name} is mapped back to what the client can ask for`,
    async (t, protocol) => {
      for (const [setUp, path, sent, seen] of LOCATIONS) {
        t.match(await mapped(t, protocol, setUp, path, name, sent), seen, `${sent} on ${setUp.key}`)
      }
    },
    ['h1', 'h2c'],
  )
}

const COOKIES: [sent: string, seen: RegExp][] = [
  ['a=1; Path=/y; HttpOnly', /^a=1; Path=\/api\/y; HttpOnly$/i],
  ['a=1; Path=/', /^a=1; Path=\/api\/?$/i],
  ['__Host-a=1; Path=/; Secure', /^__Host-a=1; Path=\/; Secure$/],
  ['__Secure-a=1; Path=/y; Secure', /^__Secure-a=1; Path=\/api\/y; Secure$/],
  ['a=1; Secure', /^a=1; Secure$/],
  ['a="; Path=/x"; path=/y', /^a="; Path=\/(api\/)?x"; path=\/api\/y$/i],
  ['a=1; Domain=127.0.0.1', /^a=1(; Domain=gateway\.test)?$/i],
  ['a=1; Domain=elsewhere.test', /^a=1(; Domain=elsewhere\.test)?$/i],
]
everyProtocol(
  "a cookie's Path and Domain are mapped back",
  async (t, protocol) => {
    for (const [sent, seen] of COOKIES) {
      t.match(await mapped(t, protocol, STRIP, '/api/x', 'Set-Cookie', sent), seen, sent)
    }
  },
  ['h1', 'h2c'],
)

everyProtocol('nothing is mapped on a route that sends paths as they are', async (t, protocol) => {
  t.equal(await mapped(t, protocol, {}, '/x', 'Location', '/y'), '/y')
  t.equal(await mapped(t, protocol, {}, '/x', 'Set-Cookie', 'a=1; Path=/y'), 'a=1; Path=/y')
})
