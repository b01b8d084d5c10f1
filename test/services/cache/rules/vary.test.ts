import { test } from 'tap'
import { ABSENT, matches, selectVariant, varyNames, varyOf } from '../../../../services/cache/rules/vary.ts'
import type { VaryPolicy } from '../../../../services/cache/rules/vary.ts'
import { DATE, HOUR_AFTER, HOUR_BEFORE, lines, storedResponse } from './stored-response.ts'

const rfc: VaryPolicy = { profile: 'rfc', languages: null }
const secure: VaryPolicy = { profile: 'secure', languages: null }

/** Whether a response with these fields, stored for one request, answers another. */
function reused(head: string[], first: string[], second: string[], policy = secure): boolean {
  const vary = varyOf(head, first, policy)
  return vary !== '*' && matches(vary, second, policy)
}

void test('the names of all Vary lines, without case, whitespace, empty members and repetition', (t) => {
  t.strictSame(varyNames(lines('vary: Foo ,, bar', 'a: b', 'vary: BAR,\tBaz')), ['bar', 'baz', 'foo'])
  t.strictSame(varyNames(lines('vary:')), [])
  t.strictSame(varyNames([]), [])
  t.end()
})

void test('* anywhere in Vary matches no request (RFC 9111 §4.1)', (t) => {
  for (const head of [
    ['vary: *'],
    ['vary: *, *'],
    ['vary: , *'],
    ['vary:', 'vary: *'],
    ['vary: Foo, *'],
    ['vary: *,Foo'],
  ]) {
    t.equal(varyOf(lines(...head), lines('foo: 1'), rfc), '*', head.join(' | '))
  }
  t.end()
})

void test('the list to store is sorted by name, and tells a missing field from an empty one', (t) => {
  const vary = varyOf(lines('vary: Foo, Bar, A'), lines('Foo: 1', 'bar:'), rfc)
  t.strictSame(vary, ['a', ABSENT, 'bar', '', 'foo', '1'])
  t.end()
})

void test('a request is answered by what one with the same named fields was answered by', (t) => {
  const rows: [string[], string[], boolean][] = [
    [['foo: 1'], ['foo: 1'], true],
    [['foo: 1'], ['FOO: 1', 'other: 2'], true],
    [['foo: 1'], ['foo: 2'], false],
    [['foo: 1'], [], false],
    [[], ['foo: 1'], false],
    [[], [], true],
    [[], ['foo:'], false],
    [['foo: 1, 2'], ['foo: 1', 'foo: 2'], true],
    [['foo: 1,2'], ['foo:  1, 2 '], true],
    [['foo: 1,2'], ['foo: 2,1'], false],
    [['foo: 1,2'], ['foo: 3,2'], false],
    [['foo: 1\\, 2'], ['foo: 1\\,2'], true],
    [['foo: 1,2'], ['foo: ,1,,2,'], true],
    [['foo: 1 2'], ['foo: 12'], false],
    [['foo: "1, 2"'], ['foo: "1,2"'], false],
    [['foo: "\\", "'], ['foo: "\\","'], false],
    [['foo: a'], ['foo: A'], false],
    [['foo: 1', 'bar: x'], ['foo: 1', 'bar: y'], false],
    [['foo: 1', 'bar: x'], ['bar: x', 'foo: 1'], true],
  ]
  for (const [first, second, expected] of rows) {
    t.equal(
      reused(lines('vary: Foo, Bar'), lines(...first), lines(...second)),
      expected,
      [...first, 'then', ...second].join(' '),
    )
  }
  t.end()
})

void test('a comma in a field that is no list is left alone', (t) => {
  t.equal(reused(lines('vary: User-Agent'), lines('user-agent: a, b'), lines('user-agent: a,b')), false)
  t.end()
})

void test('Accept-Encoding is compared by what it accepts', (t) => {
  const head = lines('vary: Accept-Encoding')
  t.equal(reused(head, lines('accept-encoding: gzip, br'), lines('accept-encoding: br;q=1,gzip')), true)
  t.equal(reused(head, lines('accept-encoding: gzip'), lines('accept-encoding: gzip, br')), false)
  t.equal(reused(head, lines('accept-encoding:'), []), false, 'none is any coding, empty is no coding')
  t.equal(reused(head, lines('accept-encoding: br;q=1, gzip;q=0.5'), lines('accept-encoding: br>gzip')), false)
  t.equal(reused(head, lines('accept-encoding: gzip, x1'), lines('accept-encoding: x2, gzip')), true, 'made up')
  t.end()
})

void test('a response in a coding of no registry answers those who ask for it in the same words', (t) => {
  const head = lines('vary: Accept-Encoding', 'content-encoding: x1')
  const asked = lines('accept-encoding: gzip, x1')
  t.equal(reused(head, asked, lines('accept-encoding: gzip, x1')), true)
  for (const other of ['gzip', 'x1, gzip', 'gzip, x2', '']) {
    t.equal(reused(head, asked, lines(`accept-encoding: ${other}`)), false, other)
  }
  t.equal(reused(head, asked, []), false)
  t.equal(reused(head, [], []), true)
  t.equal(reused(head, [], asked), false)
  t.end()
})

void test('Accept-Language: order within a weight means nothing by the RFC, and is kept by the secure profile', (t) => {
  const head = lines('vary: Accept-Language')
  t.equal(reused(head, lines('accept-language: en, de'), lines('accept-language:  De ,eN'), rfc), true)
  t.equal(reused(head, lines('accept-language: en, de'), lines('accept-language: de, en'), secure), false)
  t.equal(reused(head, lines('accept-language: en, de'), lines('accept-language: EN,  de'), secure), true)
  t.end()
})

void test('by the RFC, a response in the favourite language of a request answers it', (t) => {
  const german = lines('vary: Accept-Language', 'content-language: DE')
  const first = lines('accept-language: en, de')
  t.equal(reused(german, first, lines('accept-language: fr;q=0.5, de;q=1.0'), rfc), true)
  t.equal(reused(german, first, first, rfc), true, 'and the request that it was for')
  t.equal(reused(german, first, lines('accept-language: fr, de'), rfc), false, 'not one that may get French')
  t.equal(reused(german, first, lines('accept-language: e'), rfc), false, 'nor one named like its end')
  t.equal(reused(german, first, lines('accept-language: fr;q=0.5, de'), secure), false)
  t.equal(reused(german, first, [], rfc), false)
  t.end()
})

void test('with the languages of the origin known, Accept-Language comes down to one of them', (t) => {
  const policy: VaryPolicy = { profile: 'secure', languages: ['de', 'en'] }
  const head = lines('vary: Accept-Language')
  t.equal(
    reused(head, lines('accept-language: en-US,en;q=0.9'), lines('accept-language: en-GB, fr;q=0.7'), policy),
    true,
  )
  t.equal(reused(head, lines('accept-language: en'), lines('accept-language: de'), policy), false)
  t.end()
})

void test('the most recent of several matches is selected, and one with Vary before one without (RFC 9111 §4.1)', (t) => {
  const request = lines('foo: 1')
  const vary = ['foo', '1']
  const old = storedResponse(lines(`date: ${HOUR_BEFORE}`), { vary })
  const recent = storedResponse(lines(`date: ${DATE}`), { vary })
  const other = storedResponse(lines(`date: ${HOUR_AFTER}`), { vary: ['foo', '2'] })
  const bare = storedResponse(lines(`date: ${HOUR_AFTER}`))
  t.equal(selectVariant([old, recent, other], request, rfc), recent)
  t.equal(selectVariant([recent, old, other], request, rfc), recent)
  t.equal(selectVariant([bare, old], request, rfc), old)
  t.equal(selectVariant([old, bare], request, rfc), old)
  t.equal(selectVariant([other, bare], request, rfc), bare)
  t.equal(selectVariant([other], request, rfc), undefined)
  t.end()
})

void test('what has no normal form is the same as itself alone', (t) => {
  for (const name of ['accept-encoding', 'accept-language']) {
    const [one, other] = [lines(`${name}: br;q=x`), lines(`${name}: de;q=y`)]
    t.equal(reused(lines(`vary: ${name}`), one, one), true, name)
    t.equal(reused(lines(`vary: ${name}`), one, other), false, name)
  }
  t.end()
})
