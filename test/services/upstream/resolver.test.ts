import { test } from 'tap'
import { nameServerResolver } from '../../../services/upstream/discovery/resolver.ts'
import { startDnsServer } from '../../dns-server.ts'

/** Against a real name server, on the loopback. */

void test('a name has the addresses that its name server says, for as long as it says', async (t) => {
  const server = await startDnsServer(t, { 'api.test': ['10.0.0.1', '10.0.0.2', '::1'] })
  const resolver = nameServerResolver([server.address])
  const { addresses, ttlMs } = await resolver.addresses('api.test')
  t.strictSame([addresses.toSorted(), ttlMs], [['10.0.0.1', '10.0.0.2'], 60_000], 'IPv6 only where there is no other')
  server.records.set('api.test', ['::1'])
  server.ttl = 0
  t.strictSame(await resolver.addresses('api.test'), { addresses: ['::1'], ttlMs: 0 })
})

void test('where IPv4 addresses cannot be asked for, those of IPv6 do not take their place', async (t) => {
  const server = await startDnsServer(t, { 'api.test': ['10.0.0.1', '::1'] })
  server.failsOnIPv4 = true
  await t.rejects(nameServerResolver([server.address]).addresses('api.test'), { code: 'ESERVFAIL' })
})

void test('the servers of a service come with their addresses', async (t) => {
  const server = await startDnsServer(t, {
    '_http._tcp.api.test': [
      { name: 'one.test', port: 8001, priority: 1, weight: 10 },
      { name: 'two.test', port: 8002 },
    ],
    'one.test': ['10.0.0.1'],
    'two.test': ['::2', '10.0.0.3', '10.0.0.2'],
  })
  server.records.get('_http._tcp.api.test')?.push({ name: 'gone.test', port: 8003 }, { name: '', port: 0 })
  const services = await nameServerResolver([server.address]).services('_http._tcp.api.test')
  t.equal(services.length, 2, 'without those whose name leads nowhere')
  t.notOk(server.asked.includes(''), 'the root is no server')
  t.match(
    services.toSorted((a, b) => a.port - b.port),
    [
      { name: 'one.test', port: 8001, priority: 1, weight: 10, addresses: ['10.0.0.1'] },
      { name: 'two.test', port: 8002, priority: 0, weight: 0, addresses: { length: 2 } },
    ],
  )
})

void test('what it does not know is looked up nowhere else, not even what the machine knows', async (t) => {
  const server = await startDnsServer(t, { 'empty.test': [], '_http._tcp.api.test': [{ name: 'gone.test', port: 1 }] })
  const resolver = nameServerResolver([server.address])
  await t.rejects(resolver.addresses('localhost'), { code: 'ENOTFOUND' })
  await t.rejects(resolver.addresses('empty.test'), { code: 'ENODATA' })
  await t.rejects(resolver.services('_http._tcp.api.test'), { code: 'ENOTFOUND' })
  await t.rejects(resolver.services('nobody.test'), { code: 'ENOTFOUND' })
})
