import { test } from 'tap'
import { subnetOf } from '../../../services/limit/subnet.ts'

void test('an IPv4 address is one client, in IPv6 too', async (t) => {
  t.equal(subnetOf('192.0.2.7', 64), '192.0.2.7')
  t.equal(subnetOf('::ffff:192.0.2.7', 64), '192.0.2.7')
  t.equal(subnetOf('unknown', 64), 'unknown')
})

void test('addresses of one IPv6 network are one client, however they are written', async (t) => {
  const wanted = '2001:db8:0:7::/64'
  for (const address of [
    '2001:db8:0:7::1',
    '2001:DB8::7:ffff:0:0:1',
    '2001:0db8:0000:0007:1:2:3:4',
    '2001:db8:0:7::1%eth0',
  ]) {
    t.equal(subnetOf(address, 64), wanted)
  }
  t.equal(subnetOf('2001:db8:0:8::1', 64), '2001:db8:0:8::/64')
  t.equal(subnetOf('::1', 64), '0:0:0:0::/64')
})

void test('the prefix may end anywhere', async (t) => {
  t.equal(subnetOf('2001:db8:0:77ff::1', 56), '2001:db8:0:7700::/56')
  t.equal(subnetOf('2001:db8::1', 48), '2001:db8:0::/48')
  t.equal(subnetOf('2001:DB8::1', 128), '2001:db8::1')
})
