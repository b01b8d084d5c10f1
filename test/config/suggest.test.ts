import { test } from 'tap'
import { closest, closestUnit, editDistance } from '../../config/suggest.ts'

void test('the distance counts insertions, deletions, substitutions and swaps of neighbours', async (t) => {
  t.equal(editDistance('', 'abc'), 3)
  t.equal(editDistance('debug', 'debgu'), 1)
  t.equal(editDistance('conections', 'connections'), 1)
  t.equal(editDistance('fleet', 'fleet'), 0)
})

void test('the closest word is suggested, and none when all are far', async (t) => {
  t.equal(closest('upstream', ['listen', 'upstreams']), 'upstreams')
  t.equal(closest('LISTEN', ['listen']), 'listen')
  t.equal(closest('first_byte', ['total', 'firstByte']), 'firstByte', 'as other tools write it')
  t.equal(closest('strip', ['to', 'stripPrefix']), 'stripPrefix', 'the beginning of one')
  t.equal(closest('stri', ['stripPrefix', 'stripQuery']), undefined)
  t.equal(closest('zzz', ['log', 'listen']), undefined)
  t.equal(closest('x'.repeat(1e6), ['log']), undefined)
})

void test('units are suggested as they are written here', async (t) => {
  const cases: [string, unknown, string | undefined][] = [
    ['duration', 30, '30s'],
    ['duration', 5000, '5000ms'],
    ['duration', '2 sec', '2s'],
    ['duration', '5 minutes', '5m'],
    ['duration', '1 fortnight', undefined],
    ['size', '64mb', '64MB'],
    ['size', '1 G', '1GiB'],
    ['size', 1024, '1024B'],
    ['size', 'much', undefined],
    ['rate', '100 per minute', '100/min'],
    ['rate', 10, '10/s'],
    ['rate', 'ten', undefined],
  ]
  for (const [unit, value, expected] of cases) t.equal(closestUnit(unit, value), expected, `${unit} ${String(value)}`)
})
