import { test } from 'tap'
import { request } from 'undici'
import { start } from '../../examples/login/start.ts'
import { freePort } from '../redis-server.ts'

void test('the example leads browsers to the provider, and takes its tokens', async (t) => {
  const [gateway, provider, orders] = [await freePort(), await freePort(), await freePort()]
  const stop = await start({ gateway, provider, orders })
  t.teardown(stop)
  const url = `http://localhost:${gateway}`
  // fetch says of itself that it is no page.
  const away = await request(url, { headers: { accept: 'text/html' } })
  await away.body.dump()
  t.equal(away.statusCode, 302)
  t.match(away.headers.location, new RegExp(`^http://localhost:${provider}/auth\\?`))
  t.equal((await fetch(`${url}/api/orders`)).status, 401)
  const granted = await fetch(`http://localhost:${provider}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa('robot:beep')}`, 'content-type': 'application/x-www-form-urlencoded' },
    body: 'grant_type=client_credentials&scope=read&resource=urn:example:orders',
  })
  const { access_token: token } = (await granted.json()) as { access_token: string }
  const answer = await fetch(`${url}/api/orders`, { headers: { authorization: `Bearer ${token}` } })
  t.equal(answer.status, 200)
  t.match(await answer.text(), /^\/api\/orders for http:\/\/localhost:\d+\|robot, scopes read\n$/)
})
