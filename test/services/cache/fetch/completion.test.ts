import { Buffer } from 'node:buffer'
import { test } from 'tap'
import { completed, completingOf, completionFields } from '../../../../services/cache/fetch/completion.ts'
import type { StoredPart, StoredResponse } from '../../../../services/cache/stored.ts'
import { lines, storedResponse } from '../rules/stored-response.ts'

const TEXT = '0123456789'

function part(first: number, last: number, tag: string | null = '"a"', complete: number | null = 10): StoredResponse {
  const range: StoredPart = { first, last, complete }
  const fields = lines(
    ...(tag === null ? [] : [`etag: ${tag}`]),
    'x: 1',
    'y: 1',
    `content-range: bytes ${first}-${last}/${complete ?? '*'}`,
  )
  return storedResponse(fields, { status: 206, body: TEXT.slice(first, last + 1), part: range })
}

/** What the origin answers. */
const answer = (contentRange: string, tag = '"a"') =>
  storedResponse(lines(`etag: ${tag}`, 'x: 2', `content-range: ${contentRange}`), { status: 206 })

void test('what is missing is asked for, on condition that the rest is the same (RFC 9110 §13.1.5)', (t) => {
  const asked = (stored: StoredResponse): string[] | undefined => {
    const completing = completingOf(stored)
    return completing && completionFields(completing)
  }
  t.strictSame(asked(part(0, 4)), ['range', 'bytes=5-', 'if-range', '"a"'])
  t.strictSame(asked(part(5, 9)), ['range', 'bytes=0-4', 'if-range', '"a"'])
  t.strictSame(asked(part(0, 4, null)), ['range', 'bytes=5-'], 'without a validator, a whole answer is hoped for')
  t.equal(asked(part(2, 4)), undefined, 'two ranges are missing')
  t.equal(asked(storedResponse([])), undefined, 'it is whole')
  t.equal(completingOf(undefined), undefined)
  t.end()
})

void test('the answer to that and the stored part are the whole (RFC 9111 §3.4)', (t) => {
  const end = completed(part(0, 4), answer('bytes 5-9/10'), 5)
  t.match(end, { length: 10, after: undefined, head: { status: 200 } })
  t.equal(Buffer.from(end?.before ?? []).toString(), '01234')
  t.match(end?.head.fields.join(), /y,1.*x,2/, 'newer fields replace stored ones, the others stay')
  t.notMatch(end?.head.fields.join(), /content-range|content-length/)
  const beginning = completed(part(5, 9), answer('bytes 0-4/10'), 5)
  t.match(beginning, { length: 10, before: undefined })
  t.equal(Buffer.from(beginning?.after ?? []).toString(), '56789')
  t.match(completed(part(0, 4, '"a"', null), answer('bytes 5-9/10'), 5), { length: 10 }, 'one of them knows the length')
  t.end()
})

void test('nothing else is put together with it', (t) => {
  const refused: [string, StoredResponse, ReturnType<typeof answer>, number | null][] = [
    ['another tag', part(0, 4), answer('bytes 5-9/10', '"b"'), 5],
    ['a weak tag', part(0, 4, 'W/"a"'), answer('bytes 5-9/10', 'W/"a"'), 5],
    ['a gap', part(0, 4), answer('bytes 6-9/10'), 4],
    ['an overlap', part(0, 4), answer('bytes 4-9/10'), 6],
    ['not to the end', part(0, 4), answer('bytes 5-8/10'), 4],
    ['another length of the whole', part(0, 4), answer('bytes 5-10/11'), 6],
    ['a body of another length than its range', part(0, 4), answer('bytes 5-9/10'), 4],
    ['a body of unknown length', part(0, 4), answer('bytes 5-9/10'), null],
    ['no range', part(0, 4), answer('tortoises'), 5],
    ['no Content-Range', part(0, 4), storedResponse(lines('etag: "a"'), { status: 206 }), 5],
    ['a length that nobody knows', part(0, 4, '"a"', null), answer('bytes 5-9/*'), 5],
    ['a stored whole', storedResponse(lines('etag: "a"')), answer('bytes 5-9/10'), 5],
  ]
  for (const [what, stored, head, length] of refused) t.equal(completed(stored, head, length), undefined, what)
  t.end()
})
