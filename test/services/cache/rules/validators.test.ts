import { test } from 'tap'
import { dateOf, strongValidatorOf } from '../../../../services/cache/rules/validators.ts'
import { DATE, HOUR_BEFORE, lines, RECEIVED_AT, storedResponse } from './stored-response.ts'

const MINUTE_BEFORE = 'Thu, 01 Jan 2026 11:59:00 GMT'

void test('the strong validator is a strong tag, or without any tag a date that cannot have changed', (t) => {
  const rows: [string[], string | undefined][] = [
    [['etag: "a"', `last-modified: ${HOUR_BEFORE}`, `date: ${DATE}`], '"a"'],
    [['etag: W/"a"', `last-modified: ${HOUR_BEFORE}`, `date: ${DATE}`], undefined],
    [['etag: a'], undefined],
    [[`last-modified: ${HOUR_BEFORE}`, `date: ${DATE}`], HOUR_BEFORE],
    [[`last-modified: ${DATE}`, `date: ${DATE}`], undefined],
    [[`last-modified: Thu, 01 Jan 2026 11:59:30 GMT`, `date: ${DATE}`], undefined],
    [[`last-modified: ${MINUTE_BEFORE}`, `date: ${DATE}`], MINUTE_BEFORE],
    [[`last-modified: ${HOUR_BEFORE}`], undefined],
    [[`last-modified: yesterday`, `date: ${DATE}`], undefined],
    [[], undefined],
  ]
  for (const [head, validator] of rows) {
    t.equal(strongValidatorOf(storedResponse(lines(...head))), validator, head.join(' | '))
  }
  t.end()
})

void test('without a Date, a response is as old as its arrival', (t) => {
  t.equal(dateOf(storedResponse([])), RECEIVED_AT)
  t.equal(dateOf(storedResponse(lines('date: now'))), RECEIVED_AT)
  t.equal(dateOf(storedResponse(lines(`date: ${HOUR_BEFORE}`))), RECEIVED_AT - 3_600_000)
  t.end()
})

void test('of a Date that stands twice the first counts', (t) => {
  const date = 'Mon, 01 Jun 2026 12:00:00 GMT'
  const receivedAt = Date.parse(date) + 50_000
  for (const fields of [
    ['date', date, 'date', date],
    ['date', `${date}, ${date}`],
  ]) {
    t.equal(dateOf({ status: 200, fields, requestedAt: 0, receivedAt }), Date.parse(date))
  }
  t.end()
})
