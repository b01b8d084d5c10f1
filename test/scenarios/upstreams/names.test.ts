import { test } from 'tap'
import { PATIENCE, startManagedGateway } from '../../helper.ts'
import { startDnsServer } from '../../dns-server.ts'
import { startUpstream } from '../../upstream-server.ts'
import { get } from '../../wire.ts'

void test('targets come from the name servers of their upstream', { timeout: PATIENCE }, async (t) => {
  const upstream = await startUpstream(t, (exchange) =>
    exchange.respond(200, [], get(exchange.request.fields, 'host') ?? ''),
  )
  const port = Number(new URL(upstream.origin).port)
  const names = await startDnsServer(t, {
    'api.test': ['127.0.0.1'],
    // One of them is none (RFC 2782).
    '_orders._tcp.test': [
      { name: '', port: 0 },
      { name: 'orders-1.test', port },
    ],
    'orders-1.test': ['127.0.0.1'],
  })
  const gateway = await startManagedGateway(t, {
    upstreams: {
      api: { targets: [`dns+http://api.test:${port}`], nameServers: [names.address], host: 'upstream' },
      orders: { targets: ['srv+http://_orders._tcp.test'], nameServers: [names.address], host: 'upstream' },
    },
    routes: { '/api': { to: 'api' }, '/orders': { to: 'orders' } },
  })
  const client = await gateway.client('h1')
  const asked = async (path: string): Promise<string> => (await client.request({ path })).body.toString()
  t.equal(await asked('/api'), `api.test:${port}`)
  t.equal(await asked('/orders'), `orders-1.test:${port}`)
  const pools = await fetch(`${gateway.adminUrl}/performance/pools`, {
    headers: { authorization: `Bearer ${gateway.token}` },
  })
  const text = await pools.text()
  t.equal(text.split(`"http://127.0.0.1:${port}"`).length - 1, 2, 'each is known by its address')
})
