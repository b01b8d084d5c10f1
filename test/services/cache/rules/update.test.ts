import { test } from 'tap'
import { updatedFields } from '../../../../services/cache/rules/update.ts'
import { DATE, HOUR_BEFORE, lines, RECEIVED_AT } from './stored-response.ts'

const answer = (...fields: string[]) => ({
  status: 304,
  fields: lines(...fields),
  requestedAt: RECEIVED_AT,
  receivedAt: RECEIVED_AT,
})

void test('each field of an answer replaces all lines of its name, the rest stays (RFC 9111 §3.2)', (t) => {
  const stored = lines('a: 1', 'b: 2', 'a: 3', `date: ${HOUR_BEFORE}`)
  t.strictSame(
    updatedFields(stored, answer('a: 4', 'a: 5', 'c: 6', `date: ${DATE}`)),
    lines('b: 2', 'a: 4', 'a: 5', 'c: 6', `date: ${DATE}`),
  )
  t.strictSame(stored, lines('a: 1', 'b: 2', 'a: 3', `date: ${HOUR_BEFORE}`), 'what is stored is not touched')
  t.end()
})

void test('length, coding and range of the stored body never change; its type may', (t) => {
  const stored = lines('content-length: 5', 'content-encoding: br', 'content-range: bytes 0-4/9', 'content-type: a/b')
  t.strictSame(
    updatedFields(
      stored,
      answer('content-length: 0', 'content-encoding: gzip', 'content-range: x', 'content-type: c/d', `date: ${DATE}`),
    ),
    lines(
      'content-length: 5',
      'content-encoding: br',
      'content-range: bytes 0-4/9',
      'content-type: c/d',
      `date: ${DATE}`,
    ),
  )
  t.end()
})

void test('the age of what is stored ends with the update; an answer without Date has that of its arrival', (t) => {
  t.strictSame(updatedFields(lines('age: 9', `date: ${HOUR_BEFORE}`), answer()), lines(`date: ${DATE}`))
  t.strictSame(
    updatedFields(lines('age: 9'), answer('age: 3', `date: ${HOUR_BEFORE}`)),
    lines('age: 3', `date: ${HOUR_BEFORE}`),
  )
  t.end()
})
