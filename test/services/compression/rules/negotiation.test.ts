import assert from 'node:assert/strict'
import fc from 'fast-check'
import { test } from 'tap'
import { chooseCoding, type Coding, CODINGS } from '../../../../services/compression/rules/negotiation.ts'

const coding = (accepted: string | undefined): Coding | null => chooseCoding(accepted, CODINGS).coding

void test('the coding is the one that the client weighs highest, and among equals the first of ours', (t) => {
  const rows: [string | undefined, Coding | null][] = [
    ['gzip, deflate, br, zstd', 'zstd'],
    ['gzip, deflate, br', 'br'],
    ['gzip', 'gzip'],
    ['x-gzip', 'gzip'],
    ['GZip;Q=0.4 , BR;q=0.3', 'gzip'],
    ['br;q=0.9, zstd;q=0.1', 'br'],
    ['gzip;q=0.001', 'gzip'],
    ['*', 'zstd'],
    ['*, zstd;q=0', 'br'],
    ['gzip;q=0.5, *;q=0.8', 'zstd'],
    ['gzip;q=0, br;q=0, zstd;q=0', null],
    ['deflate, compress', null],
    ['identity', null],
    ['identity, gzip;q=0.5', null],
    ['identity;q=0.5, gzip', 'gzip'],
    ['identity, gzip', 'gzip'],
    ['*;q=0', null],
    ['', null],
    [undefined, null],
  ]
  for (const [accepted, expected] of rows) t.equal(coding(accepted), expected, accepted ?? 'no field')
  t.end()
})

void test('what is no list of codings asks for none', (t) => {
  for (const accepted of ['gzip;q=2', 'gzip;level=1', 'gz ip', ';', Array(33).fill('gzip').join(',')]) {
    t.equal(coding(accepted), null, accepted)
  }
  t.end()
})

void test('a client may refuse what is not coded', (t) => {
  const required = (accepted: string): boolean => chooseCoding(accepted, CODINGS).isRequired
  t.ok(required('gzip, identity;q=0'))
  t.ok(required('gzip, *;q=0'))
  t.notOk(required('gzip, *;q=0, identity;q=0.1'))
  t.notOk(required('gzip'))
  t.notOk(required('identity;q=0'), 'where nothing else can be had, it gets it all the same')
  t.end()
})

void test('the preference of the gateway is its own', (t) => {
  t.equal(chooseCoding('gzip, br, zstd', ['gzip', 'br']).coding, 'gzip')
  t.equal(chooseCoding('zstd', ['gzip', 'br']).coding, null)
  t.end()
})

const weight = fc.integer({ min: 0, max: 1000 }).map((thousandths) => thousandths / 1000)
const names = fc.uniqueArray(fc.constantFrom(...CODINGS, 'deflate', 'identity', '*'))
const accepted = names.chain((list) => fc.tuple(...list.map((name) => fc.tuple(fc.constant(name), weight))))

void test('whatever is accepted: nothing refused is chosen, and nothing that is weighed less than another', (t) => {
  fc.assert(
    fc.property(accepted, fc.shuffledSubarray([...CODINGS]), (members, preference) => {
      const weights = new Map<string, number>(members)
      const { coding: chosen, isRequired } = chooseCoding(
        members.map(([name, q]) => `${name};q=${q}`).join(', '),
        preference,
      )
      const weightOf = (name: string): number => weights.get(name) ?? weights.get('*') ?? 0
      if (chosen === null) {
        const identity = weights.get('identity') ?? 0
        assert.ok(preference.every((name) => weightOf(name) === 0 || weightOf(name) < identity))
        assert.equal(isRequired, false)
        return
      }
      assert.ok(preference.includes(chosen))
      assert.ok(weightOf(chosen) > 0)
      for (const name of preference) {
        assert.ok(weightOf(name) <= weightOf(chosen))
        if (weightOf(name) === weightOf(chosen)) assert.ok(preference.indexOf(chosen) <= preference.indexOf(name))
      }
      assert.ok(weightOf(chosen) >= (weights.get('identity') ?? 0))
      assert.equal(isRequired, (weights.get('identity') ?? weights.get('*')) === 0)
    }),
  )
  t.end()
})

void test('any text whatever is understood or passed over', (t) => {
  fc.assert(fc.property(fc.string(), (text) => void chooseCoding(text, CODINGS)))
  t.end()
})
