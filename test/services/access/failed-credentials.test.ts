import { test } from 'tap'
import { AccessGate } from '../../../services/access/access-gate.ts'
import { BasicScheme } from '../../../services/access/basic/basic-scheme.ts'
import { AccessCounters } from '../../../services/access/counters.ts'
import { Directory } from '../../../services/access/consumers/directory.ts'
import { resolveConsumers } from '../../../services/access/consumers/options.ts'
import { FailedCredentials } from '../../../services/access/failed-credentials.ts'
import { HmacScheme } from '../../../services/access/hmac/hmac-scheme.ts'
import { IdentityFields } from '../../../services/access/identity-fields.ts'
import { KeyScheme } from '../../../services/access/key/key-scheme.ts'
import { resolveRouteAccess } from '../../../services/access/route/options.ts'
import type { GatewayError } from '../../../services/http/problem.ts'
import { type Asking, asking, keyFor } from './given.ts'
import { signatureFields } from './signing.ts'

const NAMES = { caller: 'x-consumer-id', groups: 'x-consumer-groups', scopes: 'x-consumer-scopes' }
const HMAC = { windowMs: 300_000, maxBodyBytes: 1024, remember: 1000, shared: false, keep: false }
const SECRET = 'a secret that is long enough'

/** A gate with a limit of three failures in an hour, and a clock that the test moves. */
function gateFor(rate: { count: number; windowMs: number } | null = { count: 3, windowMs: 3_600_000 }) {
  const { key, entry } = keyFor()
  const clock = { now: 1_000 }
  const inline = resolveConsumers(
    { acme: { keys: [entry], certificates: [], secrets: [{ id: 'acme-1', secret: SECRET }] } } as never,
    (path) => path,
  )
  const groups = { groups: [], scopes: [], enabled: true }
  const consumers = { directory: new Directory(inline.map((one) => ({ ...one, ...groups })) as never) }
  const parts = { realm: 'test', consumers, isRevoked: () => false, now: Date.now }
  const keys = new KeyScheme({ header: 'x-api-key', query: 'k', keep: false }, parts)
  const hmac = new HmacScheme(HMAC, parts)
  const basic = new BasicScheme({ concurrency: 1, queue: 4, keep: false }, parts)
  const failures = new FailedCredentials(rate, null, () => clock.now)
  const options = resolveRouteAccess(['key', 'hmac', 'basic', 'anonymous'])
  const gate = new AccessGate(options as never, {
    ways: [keys, hmac, basic],
    fields: new IdentityFields(NAMES),
    counters: new AccessCounters(),
    failures,
    keys: { header: 'x-api-key', query: 'k' },
  })
  const ask = async (given: Asking): Promise<string | undefined> => {
    const verdict = (await gate.check(asking(given))) as GatewayError | undefined
    return verdict?.code
  }
  let passwords = 0
  const check = basic.checks.check.bind(basic.checks)
  basic.checks.check = (...given) => {
    passwords++
    return check(...given)
  }
  return { gate, ask, key, clock, failures, passwords: () => passwords }
}

const by = (key: string, address = '192.0.2.1'): Asking => ({ fields: ['x-api-key', key], address })

const nobody = (): Asking => by(keyFor().key)
const GUESS: Asking = { fields: ['authorization', 'Basic YTpi'], address: '192.0.2.1' }

void test('an address whose credentials have failed too often is told so, and has guessed enough', async (t) => {
  const { gate, ask, key, clock, passwords } = gateFor()
  for (let i = 0; i < 3; i++) t.equal(await ask(nobody()), 'HR_ACCESS_INVALID')
  const refused = (await gate.check(asking(GUESS))) as GatewayError
  t.match(refused, { statusCode: 429, code: 'HR_ACCESS_FAILURES', fields: ['retry-after', '1200'] })
  t.equal(passwords(), 0, 'no password is looked at')
  t.equal(await ask(by(key)), undefined, 'what cannot be guessed is: others of that address may have it')
  t.equal(await ask({ address: '192.0.2.1' }), undefined, 'who shows nothing is as free as before')
  t.equal(await ask({ ...GUESS, address: '192.0.2.2' }), 'HR_ACCESS_INVALID', 'and so are other addresses')
  clock.now += 1_200_000
  t.equal(await ask(nobody()), 'HR_ACCESS_INVALID', 'until one more is looked at')
  const wrong = (await gate.check(asking(nobody()))) as GatewayError
  t.match(wrong, { statusCode: 429, code: 'HR_ACCESS_FAILURES', fields: ['retry-after', '1200'] })
  t.match(await ask({ fields: ['signature-input', 'x', 'signature', 'y'], address: '192.0.2.1' }), 'HR_ACCESS_FAILURES')
  t.equal(await ask(GUESS), 'HR_ACCESS_FAILURES')
})

void test('a household of IPv6 addresses is one', async (t) => {
  const { ask } = gateFor()
  for (let i = 0; i < 3; i++) await ask(by('nonsense', `2001:db8::${i}`))
  t.equal(await ask(by('nonsense', '2001:db8::7')), 'HR_ACCESS_FAILURES')
  t.equal(await ask(by('nonsense', '2001:db8:0:1::7')), 'HR_ACCESS_INVALID')
})

void test('signatures and passwords that are wrong count, what holds never does, nor what nobody has shown', async (t) => {
  const { ask, key, failures } = gateFor()
  const signed = (nonce: string, secret = SECRET): Asking => ({
    address: '192.0.2.1',
    fields: signatureFields({ keyid: 'acme-1', secret, authority: 'api.test', path: '/', nonce }).flat(),
  })
  for (let i = 0; i < 20; i++) t.equal(await ask(by(key)), undefined)
  for (let i = 0; i < 20; i++) t.equal(await ask({ address: '192.0.2.1' }), undefined)
  t.equal(failures.any, false, 'for who succeeds there is nothing to ask')
  t.equal(await ask(signed('a')), undefined)
  t.equal(await ask(signed('b', 'another secret of that length')), 'HR_ACCESS_INVALID')
  t.equal(await ask({ fields: ['authorization', 'Basic nonsense'], address: '192.0.2.1' }), 'HR_ACCESS_INVALID')
  t.equal(await ask(signed('c')), undefined)
  t.equal(await ask(by('nonsense')), 'HR_ACCESS_INVALID')
  t.equal(await ask(signed('d', 'another secret of that length')), 'HR_ACCESS_FAILURES')
  t.equal(await ask(signed('d')), undefined)
})

void test('all is forgiven in time, a reload forgives nobody, and the limit can be switched off', async (t) => {
  const { ask, clock, failures, key } = gateFor()
  for (let i = 0; i < 4; i++) await ask(by('nonsense'))
  const next = new FailedCredentials({ count: 3, windowMs: 3_600_000 }, failures)
  t.match(next.refusal(asking(by(key))), { code: 'HR_ACCESS_FAILURES' })
  t.equal(new FailedCredentials({ count: 4, windowMs: 3_600_000 }, failures).any, false)
  clock.now += 7_200_000
  t.equal(await ask(GUESS), 'HR_ACCESS_INVALID')
  clock.now += 7_200_000
  t.equal(next.refusal(asking(GUESS)), undefined)
  t.equal(next.any, false)
  const off = gateFor(null)
  for (let i = 0; i < 1_100; i++) await off.ask(by('nonsense'))
  t.equal(await off.ask(by(off.key)), undefined)
})
