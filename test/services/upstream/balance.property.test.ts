import assert from 'node:assert/strict'
import fc from 'fast-check'
import { test } from 'tap'
import { type BalancedRequest, type Candidate, Roster } from '../../../services/upstream/balance/balancer.ts'
import { consistentHash } from '../../../services/upstream/balance/consistent-hash.ts'
import { hashKey } from '../../../services/upstream/balance/hash-key.ts'
import { hashOf } from '../../../services/upstream/balance/hashing.ts'
import { leastRequests } from '../../../services/upstream/balance/least-requests.ts'
import { roundRobin } from '../../../services/upstream/balance/round-robin.ts'

/** 0…1, the same each time (mulberry32). */
function chance(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

interface Named extends Candidate {
  name: string
  weight: number
  inFlight: number
}

const target = (name: string, weight = 1): Named => ({ name, hash: hashOf(name), weight, inFlight: 0, credit: 0 })
const targetsOf = (weights: readonly number[]): Named[] =>
  weights.map((weight, index) => target(`http://10.0.0.${index}:80`, weight))

const request = (path: string): BalancedRequest => ({
  fields: { kept: [], cookie: undefined },
  path,
  clientAddress: '',
  identity: undefined,
})
const weights = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 })
const byPath = (maxLoad = Number.POSITIVE_INFINITY) =>
  consistentHash({
    key: hashKey('path'),
    maxLoad,
    otherwise: () => {
      throw new Error('every request has a path')
    },
  })
const keys = Array.from({ length: 2_000 }, (_, index) => `/key/${index}`)

void test('by turns: after as many as the weights add up to, each has had exactly its weight, however it began', (t) => {
  fc.assert(
    fc.property(weights, fc.nat(50), (given, before) => {
      const targets = targetsOf(given)
      const roster = new Roster(targets)
      for (let turn = 0; turn < before * roster.weight; turn++) roundRobin(roster, undefined)
      const picks = new Map(targets.map(({ name }) => [name, 0]))
      for (let turn = 0; turn < roster.weight; turn++) {
        const { name } = roundRobin(roster, undefined)
        picks.set(name, (picks.get(name) ?? 0) + 1)
      }
      assert.deepEqual([...picks.values()], given)
    }),
    { numRuns: 30 },
  )
  t.end()
})

void test('by turns: a heavy target has its turns between the others', (t) => {
  const roster = new Roster([target('a', 5), target('b'), target('c')])
  t.equal(Array.from({ length: 7 }, () => roundRobin(roster, undefined).name).join(''), 'aabacaa')
  t.end()
})

void test('the less busy of two: shares are as the weights while all are idle, and requests in flight spread by weight', (t) => {
  for (const given of [[1], [1, 1], [3, 1], [1, 2, 3, 4], [5, 5, 5, 5, 5]]) {
    const targets = targetsOf(given)
    const roster = new Roster(targets)
    const pick = leastRequests(chance(7))
    const picks = new Map<Named, number>(targets.map((one) => [one, 0]))
    for (let turn = 0; turn < 20_000; turn++) {
      const chosen = pick(roster, undefined)
      picks.set(chosen, (picks.get(chosen) ?? 0) + 1)
    }
    for (const [{ weight }, count] of picks) {
      const share = (20_000 * weight) / roster.weight
      t.ok(Math.abs(count - share) < 600, `${given.join()}: ${count} of about ${share}`)
    }
    for (let turn = 0; turn < 200 * targets.length; turn++) pick(roster, undefined).inFlight++
    const loads = targets.map(({ inFlight, weight }) => inFlight / weight)
    const all = (200 * targets.length) / roster.weight
    t.ok(Math.max(...loads) - Math.min(...loads) < 0.1 * all + 4, `${given.join()}: ${loads.join()}`)
  }
  t.end()
})

void test('the less busy of two: the busiest of all is never chosen while another is idle and both are drawn', (t) => {
  const [busy, ...others] = targetsOf([1, 1, 1, 1]) as [Named, ...Named[]]
  busy.inFlight = 1_000
  const pick = leastRequests(chance(3))
  const roster = new Roster([busy, ...others])
  for (let turn = 0; turn < 1_000; turn++) assert.notEqual(pick(roster, undefined), busy)
  t.end()
})

void test('by hash: a target that goes gives up its own keys alone, and has them back when it returns', (t) => {
  fc.assert(
    fc.property(
      weights.filter(({ length }) => length > 1),
      fc.nat(),
      (given, which) => {
        const targets = targetsOf(given)
        const gone = targets[which % targets.length]
        const pick = byPath()
        const all = new Roster(targets)
        const less = new Roster(targets.filter((one) => one !== gone))
        for (const key of keys.slice(0, 300)) {
          const before = pick(all, request(key))
          const after = pick(less, request(key))
          assert.ok(before === gone ? after !== gone : after === before, 'a key of a target that stays stays')
        }
      },
    ),
    { numRuns: 20 },
  )
  t.end()
})

void test('by hash: a target with a new weight takes keys, or gives them up, and no other key moves', (t) => {
  fc.assert(
    fc.property(weights, fc.nat(), fc.integer({ min: 1, max: 20 }), (given, which, weight) => {
      const before = targetsOf(given)
      const index = which % given.length
      const after = before.map((one, at) => (at === index ? { ...one, weight } : one))
      const pick = byPath()
      for (const key of keys.slice(0, 200)) {
        const names = [pick(new Roster(before), request(key)).name, pick(new Roster(after), request(key)).name]
        if (names[0] === names[1]) continue
        assert.equal(names[weight > given[index]! ? 1 : 0], before[index]!.name)
      }
    }),
    { numRuns: 20 },
  )
  t.end()
})

void test('by hash: shares are as the weights', (t) => {
  for (const given of [
    [1, 1, 1],
    [3, 1],
    [1, 2, 3, 4],
  ]) {
    const targets = targetsOf(given)
    const roster = new Roster(targets)
    const pick = byPath()
    const picks = new Map<Named, number>(targets.map((one) => [one, 0]))
    for (const key of keys) {
      const chosen = pick(roster, request(key))
      picks.set(chosen, (picks.get(chosen) ?? 0) + 1)
    }
    for (const [{ weight }, count] of picks) {
      const share = (keys.length * weight) / roster.weight
      t.ok(Math.abs(count - share) < 0.1 * keys.length, `${given.join()}: ${count} of about ${share}`)
    }
  }
  t.end()
})

void test('by hash with a bound: no target has more than its bound, whatever the keys, and a key goes home when there is room', (t) => {
  fc.assert(
    fc.property(weights, fc.integer({ min: 0, max: 3 }), (given, distinct) => {
      const targets = targetsOf(given)
      const roster = new Roster(targets)
      const pick = byPath(1.25)
      const home = pick(roster, request('/key/0'))
      for (let turn = 0; turn < 200; turn++) {
        const chosen = pick(roster, request(`/key/${turn % (distinct + 1)}`))
        // A bound that is a whole number may come out a little above it.
        const bound = Math.ceil((1.25 * (turn + 1) * chosen.weight) / roster.weight + 1e-9)
        assert.ok(chosen.inFlight < bound, `${chosen.inFlight} below ${bound}`)
        chosen.inFlight++
      }
      for (const one of targets) one.inFlight = 0
      assert.equal(pick(roster, request('/key/0')), home)
    }),
    { numRuns: 20 },
  )
  t.end()
})

void test('keys are read from where they are said to be; without one, the other balancer chooses', (t) => {
  const asked: BalancedRequest = {
    fields: { kept: ['X-Tenant', 'acme', 'accept', '*/*'], cookie: 'a=1; sid=7; sid=8' },
    path: '/p',
    clientAddress: '10.0.0.9',
    identity: undefined,
  }
  const read = (key: string): string | undefined => hashKey(key)(asked)
  t.equal(hashKey('consumer')({ ...asked, identity: { id: 'acme' } }), 'acme')
  t.equal(read('consumer'), '10.0.0.9', 'by the address, of somebody who has not shown who they are')
  t.strictSame(
    ['header:x-tenant', 'header:accept', 'header:absent', 'cookie:sid', 'cookie:b', 'path', 'client'].map(read),
    ['acme', '*/*', undefined, '7', undefined, '/p', '10.0.0.9'],
  )
  const [first, second] = targetsOf([1, 1]) as [Named, Named]
  const pick = consistentHash({
    key: hashKey('header:absent'),
    maxLoad: Number.POSITIVE_INFINITY,
    otherwise: ({ targets }) => targets[1]!,
  })
  t.equal(pick(new Roster([first, second]), asked), second)
  t.equal(pick(new Roster([first, second]), undefined), second, 'so it does for requests of the gateway itself')
  t.end()
})
