import { Buffer } from 'node:buffer'
import { test } from 'tap'
import { combine, completionOf } from '../../../../services/cache/rules/combine.ts'
import type { StoredResponse } from '../../../../services/cache/stored.ts'
import { DATE, HOUR_BEFORE, lines, storedResponse } from './stored-response.ts'

const TEXT = '0123456789'

/** A part of `0123456789`. */
function part(first: number, last: number, given: { complete?: number | null; etag?: string; extra?: string[] } = {}) {
  const { complete = 10, etag = 'etag: "a"', extra = [] } = given
  return storedResponse(
    lines(
      etag,
      `content-range: bytes ${first}-${last}/${complete ?? '*'}`,
      `content-length: ${last - first + 1}`,
      ...extra,
    ),
    { status: 206, body: TEXT.slice(first, last + 1), part: { first, last, complete } },
  )
}

const shown = (response: StoredResponse | undefined): unknown =>
  response && [response.status, response.part, String(response.body)]

void test('parts that touch or overlap become one part (RFC 9111 §3.4)', (t) => {
  t.strictSame(shown(combine(part(2, 4), part(5, 7))), [206, { first: 2, last: 7, complete: 10 }, '234567'])
  t.strictSame(shown(combine(part(5, 7), part(2, 4))), [206, { first: 2, last: 7, complete: 10 }, '234567'])
  t.strictSame(shown(combine(part(1, 8), part(3, 4))), [206, { first: 1, last: 8, complete: 10 }, '12345678'])
  t.strictSame(shown(combine(part(3, 4), part(1, 8))), [206, { first: 1, last: 8, complete: 10 }, '12345678'])
  t.equal(combine(part(0, 2), part(4, 5)), undefined, 'a gap is not filled')
  t.equal(combine(part(4, 5), part(0, 2)), undefined)
  t.end()
})

void test('all parts together are the whole, a 200 with its own length', (t) => {
  const whole = combine(part(0, 4, { extra: ['x: 1', 'y: 1'] }), part(5, 9, { extra: ['x: 2', `date: ${DATE}`] }))
  t.strictSame(shown(whole), [200, null, TEXT])
  t.strictSame(whole?.fields, lines('y: 1', 'etag: "a"', 'x: 2', `date: ${DATE}`, 'content-length: 10'))
  t.strictSame(shown(combine(part(0, 4, { complete: null }), part(5, 9))), [200, null, TEXT], 'one knows the length')
  t.strictSame(shown(combine(part(0, 4, { complete: null }), part(5, 9, { complete: null }))), [
    206,
    { first: 0, last: 9, complete: null },
    TEXT,
  ])
  t.end()
})

void test('a whole response and a part of it stay whole, with the newer fields and bytes', (t) => {
  const whole = storedResponse(lines('etag: "a"', 'content-length: 10', 'x: 1'))
  const newer = { ...part(3, 4, { extra: ['x: 2'] }), body: 'AB' }
  const result = combine(whole, newer)
  t.strictSame(shown(result), [200, null, '012AB56789'])
  t.ok(result?.fields.join().includes('x,2'))
  t.end()
})

void test('without the same strong validator nothing is combined', (t) => {
  const modified = (value: string): string[] => [`last-modified: ${value}`, `date: ${DATE}`]
  const cases: [StoredResponse, StoredResponse][] = [
    [part(0, 4), part(5, 9, { etag: 'etag: "b"' })],
    [part(0, 4, { etag: 'etag: W/"a"' }), part(5, 9, { etag: 'etag: W/"a"' })],
    [part(0, 4, { etag: 'x: 1' }), part(5, 9, { etag: 'x: 1' })],
    [part(0, 4, { etag: 'x: 1' }), part(5, 9)],
    [part(0, 4, { etag: 'x: 1', extra: modified(DATE) }), part(5, 9, { etag: 'x: 1', extra: modified(DATE) })],
    [part(0, 4, { complete: 10 }), part(5, 9, { complete: 11 })],
  ]
  for (const [older, newer] of cases) t.equal(combine(older, newer), undefined, older.fields.join(' '))
  const dated = { etag: 'x: 1', extra: modified(HOUR_BEFORE) }
  t.strictSame(shown(combine(part(0, 4, dated), part(5, 9, dated))), [200, null, TEXT], 'an old enough date is strong')
  t.end()
})

void test('a part that reaches beyond the length the other knows is not combined', (t) => {
  t.equal(combine(part(0, 4, { complete: 9 }), part(5, 9, { complete: null })), undefined)
  t.end()
})

void test('large bodies are combined as bytes', (t) => {
  const bytes = Buffer.alloc(40_000, 'abc')
  const piece = (first: number, last: number): StoredResponse => ({
    ...part(0, 1),
    body: bytes.subarray(first, last + 1),
    part: { first, last, complete: 40_000 },
  })
  const result = combine(piece(0, 19_999), piece(10_000, 39_999))
  t.equal(result?.status, 200)
  t.ok(bytes.equals(result?.body as Uint8Array))
  t.end()
})

void test('what is missing before or behind a part is asked for by its validator', (t) => {
  t.strictSame(completionOf(part(0, 4)), { range: 'bytes=5-', validator: '"a"' })
  t.strictSame(completionOf(part(5, 9)), { range: 'bytes=0-4', validator: '"a"' })
  t.strictSame(completionOf(part(0, 4, { etag: 'x: 1' })), { range: 'bytes=5-', validator: null })
  t.equal(completionOf(part(3, 4)), undefined, 'two ranges are missing')
  t.equal(completionOf(storedResponse([])), undefined)
  t.end()
})
