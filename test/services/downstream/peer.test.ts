import { test } from 'tap'
import { Peer } from '../../../services/downstream/peer.ts'
import { TrustedProxies } from '../../../services/downstream/trust.ts'
import { makeExchange } from './make-exchange.ts'

const peerAt = (remoteAddress: string | undefined, trust: string[] = [], encrypted = false): Peer =>
  new Peer({ remoteAddress, encrypted }, new TrustedProxies(trust))

void test('an address is told plainly: IPv4 in IPv6 unwrapped, IPv6 as a node in brackets and quotes', (t) => {
  t.match(peerAt('::ffff:192.0.2.1'), { address: '192.0.2.1', node: '192.0.2.1' })
  t.match(peerAt('2001:db8::1'), { address: '2001:db8::1', node: '"[2001:db8::1]"' })
  t.match(peerAt('::ffff:c000:201'), { address: '::ffff:c000:201' })
  t.match(peerAt(undefined), { address: 'unknown', node: 'unknown', trusted: false })
  t.equal(peerAt('::ffff:127.0.0.1', ['loopback']).trusted, true)
  t.match([peerAt('1.1.1.1').scheme, peerAt('1.1.1.1', [], true).scheme], ['http', 'https'])
  t.end()
})

void test('when a connection goes, the work for every exchange on it ends, also where ending one takes it off the list', (t) => {
  const peer = peerAt('192.0.2.1')
  const cancelled: string[] = []
  for (const name of ['a', 'b', 'c']) {
    const exchange = makeExchange()
    exchange.work = {
      cancel() {
        cancelled.push(name)
        peer.done(exchange)
      },
    }
    peer.open(exchange)
  }
  const idle = makeExchange()
  peer.open(idle)
  const elsewhere = makeExchange()
  elsewhere.abandoned = {
    cancel() {
      cancelled.push('elsewhere')
      peer.done(elsewhere)
    },
  }
  peer.open(elsewhere)
  peer.left()
  t.strictSame(cancelled, ['a', 'b', 'c', 'elsewhere'])
  t.equal(peer.busy, true, 'the one without work is still there')
  peer.done(idle)
  peer.done(idle)
  t.equal(peer.busy, false)
  t.end()
})
