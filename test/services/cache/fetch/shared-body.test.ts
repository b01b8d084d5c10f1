import { test } from 'tap'
import { FillBudget } from '../../../../services/cache/fetch/fill-budget.ts'
import { type BodyReader, SharedBody } from '../../../../services/cache/fetch/shared-body.ts'

const PIECE = Buffer.alloc(65_536, 'a')

/** Takes so many chunks and waits until it is let on. */
class Reader implements BodyReader {
  position = 0
  limit: number
  ended: string | undefined
  readonly #body: SharedBody

  constructor(body: SharedBody, limit = Infinity) {
    this.#body = body
    this.limit = limit
    body.join(this)
  }

  advance(): void {
    while (this.position < this.#body.end && this.position < this.limit) this.position++
    if (this.position === this.#body.end && this.#body.state !== 'open') {
      this.ended = this.#body.state
      this.#body.leave(this)
    }
  }

  take(count: number): void {
    this.limit += count
    this.advance()
    this.#body.moved()
  }
}

void test('while it is kept nobody waits, and it is there from the first byte', (t) => {
  const budget = new FillBudget(1e9)
  const body = new SharedBody(10 * PIECE.length, budget)
  const slow = new Reader(body, 0)
  for (let i = 0; i < 10; i++) t.ok(body.push(PIECE))
  t.ok(body.kept)
  t.equal(body.bytes().length, 10 * PIECE.length)
  t.equal(body.text().length, 10 * PIECE.length)
  const late = new Reader(body)
  late.advance()
  body.complete(undefined)
  t.equal(late.ended, 'complete')
  slow.take(10)
  t.equal(slow.ended, 'complete')
  t.equal(budget.held, 0, 'nothing is held once all have it')
  t.end()
})

void test('past its limit the origin waits for the slowest, and goes on when that one has caught up or left', (t) => {
  const budget = new FillBudget(1e9)
  const body = new SharedBody(PIECE.length, budget)
  const slow = new Reader(body, 0)
  const fast = new Reader(body)
  let pushed = 0
  while (body.push(PIECE)) pushed++
  t.notOk(body.kept)
  t.ok(pushed <= 4, 'a window')
  t.equal(fast.position, pushed + 1)
  let resumed = 0
  body.drained(() => resumed++)
  slow.take(1)
  t.equal(resumed, 0)
  slow.take(3)
  t.equal(resumed, 1)
  while (body.push(PIECE));
  body.drained(() => resumed++)
  body.leave(slow)
  t.equal(resumed, 2)
  t.equal(budget.held, 0)
  t.end()
})

void test('a failure reaches those who are behind after what they have not had', (t) => {
  const budget = new FillBudget(1e9)
  const body = new SharedBody(1e6, budget)
  const behind = new Reader(body, 1)
  for (let i = 0; i < 3; i++) body.push(PIECE)
  body.fail()
  t.equal(behind.ended, undefined)
  t.notOk(body.kept)
  behind.take(2)
  t.equal(behind.ended, 'failed')
  t.equal(budget.held, 0)
  t.end()
})

void test('bodies share a budget, and what comes in many pieces costs more than its bytes', (t) => {
  const budget = new FillBudget(2 * PIECE.length)
  const bodies = [new SharedBody(1e9, budget), new SharedBody(1e9, budget)]
  for (const body of bodies) body.push(PIECE)
  t.strictSame(
    bodies.map(({ kept }) => kept),
    [true, false],
    'the second finds it exhausted',
  )
  for (const body of bodies) body.fail()
  t.equal(budget.held, 0)
  const pieces = new SharedBody(1e9, new FillBudget(1e9))
  for (let i = 0; i < 20_000; i++) pieces.push(PIECE.subarray(0, 1))
  t.notOk(pieces.kept)
  t.end()
})

void test('what is kept stays, whoever has taken it', (t) => {
  const body = new SharedBody(2 * PIECE.length, new FillBudget(1e9))
  const reader = new Reader(body, 0)
  for (let i = 0; i < 2; i++) body.push(PIECE)
  reader.take(2)
  t.strictSame([body.kept, body.bytes().length], [true, 2 * PIECE.length])
  t.notOk(new SharedBody(0, new FillBudget(1e9)).kept)
  t.end()
})

void test('so many pieces are kept, and one more is not', (t) => {
  const body = new SharedBody(1e9, new FillBudget(1e9))
  for (let i = 0; i < 16_384; i++) body.push(PIECE.subarray(0, 1))
  t.ok(body.kept)
  body.push(PIECE.subarray(0, 1))
  t.notOk(body.kept)
  t.end()
})

void test('a window is ahead of the slowest; the origin goes on at half of it, once', (t) => {
  const body = new SharedBody(0, new FillBudget(1e9))
  const slow = new Reader(body, 0)
  // With what a piece costs beside its bytes four make a window.
  const quarter = PIECE.subarray(128)
  t.strictSame(
    Array.from({ length: 5 }, () => body.push(quarter)),
    [true, true, true, true, false],
  )
  let resumed = 0
  body.drained(() => resumed++)
  slow.take(2)
  t.equal(resumed, 0)
  slow.take(1)
  t.equal(resumed, 1)
  slow.take(1)
  t.equal(resumed, 1)
  while (body.push(quarter));
  body.drained(() => resumed++)
  body.fail()
  slow.take(100)
  t.strictSame([slow.ended, resumed], ['failed', 1], 'nothing goes on after the end')
  t.end()
})
