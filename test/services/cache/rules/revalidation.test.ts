import { test } from 'tap'
import {
  freshen,
  updateByHead,
  validationOf,
  withoutRange,
  withoutWishes,
  withValidation,
} from '../../../../services/cache/rules/revalidation.ts'
import type { ResponseHead } from '../../../../services/cache/rules/message.ts'
import type { VaryPolicy } from '../../../../services/cache/rules/vary.ts'
import type { StoredResponse } from '../../../../services/cache/stored.ts'
import { DATE, HOUR_AFTER, HOUR_BEFORE, lines, RECEIVED_AT, storedResponse } from './stored-response.ts'

const policy: VaryPolicy = { profile: 'rfc', languages: null }
const LATER_AT = RECEIVED_AT + 3_600_000

const head = (status: number, ...fields: string[]): ResponseHead => ({
  status,
  fields: lines(`date: ${HOUR_AFTER}`, ...fields),
  requestedAt: LATER_AT - 5,
  receivedAt: LATER_AT,
})

/** What a 304 with these fields updates. */
function updated(asked: StoredResponse[], fields: string[], request: string[] = []): StoredResponse[] | 'mismatch' {
  const result = freshen({ asked, answer: head(304, ...fields), request: lines(...request), policy })
  return result.outcome === 'mismatch' ? 'mismatch' : result.updates.map((update) => update.old)
}

void test('a selected response is asked about by its validators (RFC 9111 §4.3.1)', (t) => {
  const table: [string[], string[] | undefined][] = [
    [['etag: "a"'], ['if-none-match: "a"']],
    [
      ['etag: W/"a"', `last-modified: ${DATE}`],
      ['if-none-match: W/"a"', `if-modified-since: ${DATE}`],
    ],
    [[`last-modified: ${DATE}`], [`if-modified-since: ${DATE}`]],
    [[], undefined],
  ]
  for (const [fields, expected] of table) {
    const stored = storedResponse(lines(...fields))
    const question = validationOf([stored], stored)
    t.strictSame(question?.fields, expected && lines(...expected), fields.join(' '))
    t.strictSame(question?.asked, expected && [stored])
  }
  t.end()
})

void test('all strong tags of the target are named, once each, and those of parts are not', (t) => {
  const a = storedResponse(lines('etag: "a"'), { vary: ['foo', '1'] })
  const again = storedResponse(lines('etag: "a"'), { vary: ['foo', '2'] })
  const b = storedResponse(lines('etag: "b"'), { vary: ['foo', '3'] })
  const weak = storedResponse(lines('etag: W/"c"'), { vary: ['foo', '4'] })
  const part = storedResponse(lines('etag: "d"'), { part: { first: 0, last: 9, complete: 20 } })
  const question = validationOf([a, again, b, weak, part], undefined)
  t.strictSame(question, { fields: ['if-none-match', '"a", "b"'], asked: [a, again, b] })
  t.strictSame(validationOf([a, weak, b], weak)?.fields, ['if-none-match', 'W/"c", "a", "b"'])
  t.strictSame(validationOf([part], part)?.fields, ['if-none-match', '"d"'], 'but for the selected one')
  t.equal(validationOf([weak], undefined), undefined)
  t.end()
})

void test('a selected response without a tag is asked about alone, for If-None-Match would hide its date', (t) => {
  const dated = storedResponse(lines(`last-modified: ${DATE}`))
  t.strictSame(validationOf([storedResponse(lines('etag: "a"')), dated], dated), {
    fields: ['if-modified-since', DATE],
    asked: [dated],
  })
  t.end()
})

void test('the tags named are bounded', (t) => {
  const many = Array.from({ length: 100 }, (_, i) => storedResponse(lines(`etag: "${i}"`)))
  t.equal(validationOf(many, undefined)?.asked.length, 32)
  const long = Array.from({ length: 30 }, (_, i) => storedResponse(lines(`etag: "${i}${'x'.repeat(500)}"`)))
  t.equal(validationOf(long, undefined)?.asked.length, 4)
  t.end()
})

void test("the cache's conditions take the place of the client's; If-Match is the origin's", (t) => {
  const request = lines('If-None-Match: "x"', 'A: 1', 'if-modified-since: x', 'If-Match: "y"', 'Range: bytes=0-1')
  t.strictSame(
    withValidation(request, ['if-none-match', '"z"']),
    lines('A: 1', 'If-Match: "y"', 'Range: bytes=0-1', 'if-none-match: "z"'),
  )
  t.strictSame(withoutRange(lines('A: 1', 'RANGE: bytes=0-1', 'If-Range: "a"')), lines('A: 1'))
  t.end()
})

void test('a refresh for all has no wishes of one client, but for those that choose the answer', (t) => {
  const request = lines('CACHE-CONTROL: no-cache', 'Pragma: x', 'A: 1', 'If-Match: "y"', 'If-Unmodified-Since: z')
  t.strictSame(withoutWishes(request, []), lines('A: 1'))
  t.strictSame(withoutWishes(request, ['a', 'cache-control']), lines('CACHE-CONTROL: no-cache', 'A: 1'))
  t.end()
})

void test('a 304 updates all with its strong tag, and none where it is another (RFC 9111 §4.3.4)', (t) => {
  const a = storedResponse(lines('etag: "a"', `date: ${HOUR_BEFORE}`))
  const recent = storedResponse(lines('etag: "a"', `date: ${DATE}`))
  const weak = storedResponse(lines('etag: W/"a"'))
  t.strictSame(updated([a, weak, recent], ['etag: "a"']), [recent, a])
  t.equal(updated([a, weak], ['etag: "b"']), 'mismatch')
  t.equal(updated([weak], ['etag: "a"']), 'mismatch')
  t.equal(updated([a], ['etag: "b"', `last-modified: ${DATE}`]), 'mismatch')
  t.end()
})

void test('a 304 with a weak tag or a date updates the most recent that has it', (t) => {
  const dated = `last-modified: ${HOUR_BEFORE}`
  const old = storedResponse(lines('etag: W/"a"', dated, `date: ${HOUR_BEFORE}`))
  const recent = storedResponse(lines('etag: W/"a"', dated, `date: ${DATE}`))
  t.strictSame(updated([old, recent], ['etag: W/"a"']), [recent])
  t.strictSame(updated([old, recent], [dated]), [recent])
  t.equal(updated([old, recent], ['etag: W/"b"']), 'mismatch')
  t.equal(updated([old, recent], [`last-modified: ${DATE}`]), 'mismatch')
  t.end()
})

void test('a 304 without a validator updates the only one asked about, and none of several', (t) => {
  const a = storedResponse(lines('etag: "a"'))
  const other = storedResponse(lines('etag: "b"'), { vary: ['foo', '2'] })
  t.strictSame(updated([a], []), [a])
  t.equal(updated([a, storedResponse(lines('etag: "b"'))], []), 'mismatch')
  t.equal(updated([a, other], []), 'mismatch')
  t.equal(updated([other], []), 'mismatch', 'nor one that the request does not select')
  t.end()
})

void test('a strong tag may name a variant that the request did not select, unless its coding is not accepted', (t) => {
  const vary = 'vary: Accept-Encoding, Foo'
  const gzip = storedResponse(lines('etag: "a"', vary, 'content-encoding: gzip'), {
    vary: ['accept-encoding', 'gzip', 'foo', '1'],
  })
  const request = lines('accept-encoding: gzip, br', 'foo: 2')
  const result = freshen({ asked: [gzip], answer: head(304, 'etag: "a"'), request, policy })
  t.equal(result.outcome, 'updated')
  if (result.outcome === 'updated') {
    t.strictSame(result.updates[0]?.updated.vary, ['accept-encoding', 'br,gzip', 'foo', '2'], 'stored for the request')
  }
  t.equal(updated([gzip], ['etag: "a"'], ['accept-encoding: br', 'foo: 2']), 'mismatch')
  const weak = storedResponse(lines('etag: W/"a"', vary), { vary: ['accept-encoding', 'gzip', 'foo', '1'] })
  t.equal(updated([weak], ['etag: W/"a"'], ['foo: 2']), 'mismatch', 'a weak tag may not')
  t.end()
})

void test('what is updated has the fields and the times of the 304, and the body it had', (t) => {
  const old = storedResponse(lines('etag: "a"', 'cache-control: max-age=1', 'x: 1', 'age: 7', 'vary: Foo'), {
    vary: ['foo', '1'],
    tags: ['t'],
  })
  const result = freshen({
    asked: [old],
    answer: head(304, 'etag: "a"', 'cache-control: max-age=9', 'vary: Bar'),
    request: lines('foo: 1', 'bar: 2'),
    policy,
  })
  t.strictSame(result, {
    outcome: 'updated',
    updates: [
      {
        old,
        updated: {
          ...old,
          fields: lines('x: 1', `date: ${HOUR_AFTER}`, 'etag: "a"', 'cache-control: max-age=9', 'vary: Bar'),
          requestedAt: LATER_AT - 5,
          receivedAt: LATER_AT,
          vary: ['bar', '2'],
        },
      },
    ],
  })
  t.end()
})

void test('a HEAD that agrees in all that it says updates the stored response (RFC 9111 §4.3.5)', (t) => {
  const fields = ['etag: "a"', `last-modified: ${DATE}`, 'content-length: 10', 'content-encoding: br', 'x: 1']
  const old = storedResponse(lines(...fields))
  for (const said of [[], ['etag: "a"'], [`last-modified: ${DATE}`], ['content-length: 10'], fields]) {
    const result = updateByHead(old, head(200, ...said, 'y: 2'))
    t.equal(result.outcome, 'updated', said.join(' '))
    if (result.outcome === 'updated') {
      t.equal(result.updated.receivedAt, LATER_AT)
      t.ok(result.updated.fields.includes('y') && result.updated.fields.includes('x'))
      t.equal(result.updated.body, old.body)
    }
  }
  t.end()
})

void test('a HEAD that disagrees makes the stored response stale', (t) => {
  const old = storedResponse(lines('etag: "a"', `last-modified: ${DATE}`))
  const part = storedResponse([], { part: { first: 0, last: 9, complete: 20 } })
  for (const said of [
    'etag: "b"',
    'etag: W/"a"',
    `last-modified: ${HOUR_BEFORE}`,
    'content-length: 11',
    'content-encoding: br',
  ]) {
    t.equal(updateByHead(old, head(200, said)).outcome, 'stale', said)
  }
  t.equal(updateByHead(part, head(200, 'content-length: 20')).outcome, 'updated')
  t.equal(updateByHead(part, head(200, 'content-length: 10')).outcome, 'stale')
  t.end()
})
