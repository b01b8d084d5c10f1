import { Buffer } from 'node:buffer'
import { test } from 'tap'
import {
  parseContentRange,
  partialContent,
  partOf,
  unsatisfiedFields,
} from '../../../../services/cache/rules/partial-content.ts'
import { lines, storedResponse } from './stored-response.ts'

void test('Content-Range of a part (RFC 9110 §14.4)', (t) => {
  t.strictSame(parseContentRange('bytes 0-4/10'), { first: 0, last: 4, complete: 10 })
  t.strictSame(parseContentRange('bytes 0-0/1'), { first: 0, last: 0, complete: 1 })
  t.strictSame(parseContentRange(' Bytes 4-9/* '), { first: 4, last: 9, complete: null })
  for (const bad of [
    'bytes */10',
    'bytes 5-4/10',
    'bytes 0-10/10',
    'bytes=0-4/10',
    'lines 0-4/10',
    '0-4/10',
    'bytes 0-4',
    '',
  ]) {
    t.equal(parseContentRange(bad), undefined, bad)
  }
  t.equal(parseContentRange('bytes 0-4/10, bytes 0-4/10'), undefined, 'said twice')
  t.end()
})

void test('a 206 that is not as long as it says, or says nothing, is no part', (t) => {
  t.strictSame(partOf(lines('content-range: bytes 0-4/10'), 5), { first: 0, last: 4, complete: 10 })
  t.equal(partOf(lines('content-range: bytes 0-4/10'), 4), undefined)
  t.equal(partOf(lines('content-type: multipart/byteranges; boundary=x'), 5), undefined)
  t.end()
})

void test('one range is sent as it is, with the stored fields (RFC 9110 §15.3.7.1)', (t) => {
  const fields = lines('a: 1', 'content-length: 10', 'content-type: text/plain')
  for (const body of ['0123456789', Buffer.from('0123456789')]) {
    const answer = partialContent(storedResponse(fields, { body }), [{ first: 2, last: 4 }], 'unused')
    t.strictSame(
      answer.fields,
      lines('a: 1', 'content-type: text/plain', 'content-range: bytes 2-4/10', 'content-length: 3'),
    )
    t.equal(Buffer.from(answer.body as string).toString(), '234')
  }
  t.end()
})

void test('a range of a part is counted from the start of the representation', (t) => {
  const fields = lines('content-range: bytes 4-9/10', 'content-length: 6')
  const part = { first: 4, last: 9, complete: 10 }
  const answer = partialContent(storedResponse(fields, { body: '456789', part }), [{ first: 6, last: 8 }], '')
  t.strictSame(answer, { fields: lines('content-range: bytes 6-8/10', 'content-length: 3'), body: '678' })
  const unknown = partialContent(
    storedResponse([], { body: '456789', part: { ...part, complete: null } }),
    [{ first: 4, last: 4 }],
    '',
  )
  t.strictSame(unknown.fields, lines('content-range: bytes 4-4/*', 'content-length: 1'))
  t.end()
})

void test('several ranges are the parts of a multipart/byteranges body (RFC 9110 §14.6)', (t) => {
  const fields = lines('content-type: text/plain', 'content-length: 10', 'a: 1')
  const expected = [
    '',
    '--sep',
    'Content-Type: text/plain',
    'Content-Range: bytes 8-9/10',
    '',
    '89',
    '--sep',
    'Content-Type: text/plain',
    'Content-Range: bytes 0-1/10',
    '',
    '01',
    '--sep--',
    '',
  ].join('\r\n')
  const ranges = [
    { first: 8, last: 9 },
    { first: 0, last: 1 },
  ]
  for (const body of ['0123456789', Buffer.from('0123456789')]) {
    const answer = partialContent(storedResponse(fields, { body }), ranges, 'sep')
    t.equal(answer.body, expected)
    t.strictSame(
      answer.fields,
      lines('a: 1', 'content-type: multipart/byteranges; boundary=sep', `content-length: ${expected.length}`),
    )
  }
  t.end()
})

void test('large parts are bytes, and no byte of them changes', (t) => {
  const body = Buffer.alloc(40_000, Buffer.from([0, 127, 128, 255]))
  const ranges = [
    { first: 0, last: 19_999 },
    { first: 30_000, last: 39_999 },
  ]
  const answer = partialContent(storedResponse([], { body }), ranges, 'sep')
  t.ok(Buffer.isBuffer(answer.body))
  const sent = answer.body as Buffer
  t.equal(sent.indexOf(body.subarray(0, 20_000)) > 0, true)
  t.equal(sent.includes(body.subarray(30_000)), true)
  t.strictSame(answer.fields.slice(-2), ['content-length', String(sent.length)])
  t.end()
})

void test('a 416 says how long the representation is (RFC 9110 §15.5.17)', (t) => {
  t.strictSame(unsatisfiedFields(10), lines('content-range: bytes */10'))
  t.end()
})
