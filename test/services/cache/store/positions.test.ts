import { test } from 'tap'
import { Positions } from '../../../../services/cache/store/positions.ts'

void test('a request is later than what was known before it was sent', async (t) => {
  const positions = new Positions()
  positions.learn(7, 100)
  positions.learn(9, 200)
  t.equal(positions.last, 9)
  t.same(
    [99, 100, 101, 200, 201].map((at) => positions.before(at, 300)),
    [0, 0, 7, 7, 9],
  )
})

void test('what is no news changes nothing', async (t) => {
  const positions = new Positions()
  positions.learn(9, 100)
  positions.learn(8, 150)
  positions.learn(9, 200)
  t.equal(positions.before(120, 300), 9)
})

void test('forgetting makes requests earlier, never later', async (t) => {
  const positions = new Positions({ capacity: 2 })
  for (const at of [1, 2, 3]) positions.learn(at, at * 100)
  t.same(
    [150, 250, 350].map((at) => positions.before(at, 400)),
    [0, 2, 3],
  )
})

void test('a clock that is set back does not make requests later than they were', async (t) => {
  const positions = new Positions()
  positions.learn(1, 1_000)
  t.equal(positions.before(1_500, 1_501), 1)
  positions.learn(2, 600)
  t.equal(positions.before(1_500, 700), 0, 'sent before it was set back')
  t.equal(positions.before(800, 900), 0, 'or after: nobody can tell')
  t.equal(positions.before(1_502, 1_600), 2)
})
