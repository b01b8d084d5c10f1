import { test } from 'tap'
import { resolveSplit, type SplitInput } from '../../../services/split/options.ts'
import { Split } from '../../../services/split/split.ts'
import type { BalancedRequest } from '../../../services/upstream/balance/balancer.ts'

const counts = () => ({ rule: 0, sticky: 0, share: 0 })

function split(input: Partial<SplitInput>, random?: () => number): Split<string> {
  const options = resolveSplit({ split: { a: 75, b: 25 }, rules: [], cache: 'by-side', ...input })
  return new Split(options, (name) => ({ value: name, counts: counts() }), random)
}

function asking(kept: string[] = [], cookie?: string, clientAddress = '192.0.2.1'): BalancedRequest {
  return { fields: { kept, cookie }, path: '/', clientAddress, identity: undefined }
}

/** Numbers that are spread evenly over 0…1. */
function evenly(count: number): () => number {
  let next = 0
  return () => (next++ % count) / count
}

void test('requests are divided by the shares, and a side without one gets none', async (t) => {
  const sides = split({ split: { a: 70, b: 30, idle: 0 }, rules: [{ header: 'x', to: 'idle' }] }, evenly(1000))
  const got: Record<string, number> = {}
  for (let i = 0; i < 1000; i++) {
    const { side, reason, token } = sides.choose(asking())
    got[side.name] = (got[side.name] ?? 0) + 1
    t.equal(reason === 'share' && token === null, true)
  }
  t.strictSame(got, { a: 700, b: 300 })
})

void test('the first rule that fits wins over shares and sticky, by a field or a cookie', async (t) => {
  const sides = split({
    split: { a: 1, b: 0, c: 0 },
    rules: [
      { header: 'X-Canary', is: '1', to: 'b' },
      { cookie: 'canary', to: 'c' },
    ],
    sticky: 'header:x-tenant',
  })
  const at = (kept: string[], cookie?: string) => {
    const { side, reason } = sides.choose(asking(kept, cookie))
    return `${side.name} ${reason}`
  }
  t.equal(at(['x-canary', '1', 'x-tenant', 't'], 'canary=x'), 'b rule')
  t.equal(at(['X-CANARY', '1']), 'b rule')
  t.equal(at(['x-canary', '0']), 'a share')
  t.equal(at([], 'other=1; canary=anything'), 'c rule')
  t.equal(at(['x-tenant', 't'], 'canaries=1'), 'a sticky')
  t.equal(at([]), 'a share')
})

void test('a client that is known by a cookie stays, in every process, and learns nothing of its side', async (t) => {
  const first = split({ sticky: { cookie: 'at', maxAge: '0s' } })
  const other = split({ sticky: { cookie: 'at', maxAge: '0s' } })
  for (let client = 0; client < 200; client++) {
    const { side, token, reason } = first.choose(asking())
    t.equal(reason, 'share')
    t.match(token, /^[0-9a-z]{5}$/)
    const again = other.choose(asking([], `x=1; at=${token}`))
    t.strictSame([again.side.name, again.reason, again.token], [side.name, 'sticky', null])
  }
})

void test('a share that grows takes clients from the others alone, and gets them all', async (t) => {
  const tokens = Array.from({ length: 4000 }, (_, i) => `t${i}`)
  const sidesOf = (weights: Record<string, number>): string[] => {
    const sides = split({ split: weights, sticky: 'header:x-id' })
    return tokens.map((token) => sides.choose(asking(['x-id', token])).side.name)
  }
  const before = sidesOf({ a: 95, b: 5 })
  const after = sidesOf({ a: 80, b: 20 })
  const share = (names: string[]): number => names.filter((name) => name === 'b').length / names.length
  t.ok(Math.abs(share(before) - 0.05) < 0.02, `${share(before)}`)
  t.ok(Math.abs(share(after) - 0.2) < 0.03, `${share(after)}`)
  t.equal(before.filter((name, i) => name === 'b' && after[i] === 'a').length, 0, 'none has left the side that grew')
})

void test('an address keeps its side; a request without what it is known by is drawn', async (t) => {
  const byAddress = split({ sticky: 'client' })
  const at = (address: string): string => byAddress.choose(asking([], undefined, address)).side.name
  const homes = new Set(Array.from({ length: 64 }, (_, i) => `${at(`192.0.2.${i}`)}`))
  t.same([...homes].toSorted(), ['a', 'b'])
  t.equal(at('192.0.2.7'), at('192.0.2.7'))
  t.equal(split({ sticky: 'cookie:sid' }).choose(asking([], 'sid=')).reason, 'share')
})

void test('Vary names what the choice depends on, where answers may differ by it', async (t) => {
  const rules = [
    { header: 'X-Canary', to: 'b' },
    { cookie: 'canary', to: 'b' },
  ]
  t.equal(split({ rules, sticky: { cookie: 'at', maxAge: '0s' } }).vary, 'x-canary, cookie')
  t.equal(split({ rules: [], sticky: 'header:X-Tenant' }).vary, 'x-tenant')
  t.equal(split({ sticky: 'client' }).vary, '')
  t.equal(split({ rules, cache: 'shared' }).vary, '')
})
