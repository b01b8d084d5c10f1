import assert from 'node:assert/strict'
import fc from 'fast-check'
import { test } from 'tap'
import {
  codedFields,
  codedTrailers,
  notModified,
  strengthened,
  varied,
} from '../../../../services/compression/rules/fields.ts'
import { CODINGS } from '../../../../services/compression/rules/negotiation.ts'

const VARY = ['vary', 'Accept-Encoding']

void test('a coded answer says so, with a weak tag and without what described its bytes', (t) => {
  const of = (text: string): string[] => text.split(' ')
  const fields = [
    ...of('content-type application/json etag "a" accept-ranges bytes content-md5 x digest x'),
    ...of('content-digest x repr-digest x content-encoding identity date now'),
  ]
  const expected = [
    'content-type',
    'application/json',
    'etag',
    'W/"a"',
    'date',
    'now',
    'content-encoding',
    'br',
    ...VARY,
  ]
  t.same(codedFields(fields, 'br'), expected)
  t.same(codedFields(['etag', 'W/"a"'], 'gzip'), ['etag', 'W/"a"', 'content-encoding', 'gzip', ...VARY])
  t.same(codedFields(['etag', 'a'], 'gzip'), ['content-encoding', 'gzip', ...VARY], 'what is no tag goes')
  t.end()
})

void test('Vary is added once, to what is there', (t) => {
  t.same(varied(['a', 'b']), ['a', 'b', ...VARY])
  t.same(varied(['vary', 'Origin']), ['vary', 'Origin, Accept-Encoding'])
  t.same(varied(['vary', 'Origin', 'vary', 'Cookie']), ['vary', 'Origin', 'vary', 'Cookie, Accept-Encoding'])
  t.same(varied(['vary', 'origin,accept-encoding']), ['vary', 'origin,accept-encoding'])
  t.same(varied(['vary', 'x-accept-encoding']), ['vary', 'x-accept-encoding, Accept-Encoding'])
  t.same(varied(['vary', '*']), ['vary', '*'])
  t.same(varied(['vary', '']), VARY)
  t.end()
})

void test('a 304 names the tag that its client has', (t) => {
  const etag = ['etag', '"a"']
  t.same(notModified(etag, 'W/"a"'), ['etag', 'W/"a"', ...VARY])
  t.same(notModified(etag, '"b", W/"a"'), ['etag', 'W/"a"', ...VARY])
  t.same(notModified(etag, '"a", W/"a"'), [...etag, ...VARY], 'it has both')
  t.same(notModified(etag, '*'), [...etag, ...VARY])
  t.same(notModified(etag, undefined), [...etag, ...VARY])
  t.same(notModified([], 'W/"a"'), VARY)
  t.end()
})

void test('If-Match asks the origin about the tags that it gave', (t) => {
  t.equal(strengthened('W/"a"'), '"a"')
  t.equal(strengthened('"b", W/"a",W/"c"'), '"b", "a","c"')
  t.equal(strengthened('"a, W/"'), '"a, W/"', 'a tag may look like that')
  t.equal(strengthened('*'), '*')
  t.end()
})

void test('digests go from the trailers too', (t) => {
  t.same(codedTrailers(['x-sum', '1', 'content-digest', 'x', 'digest', 'y']), ['x-sum', '1'])
  t.end()
})

const name = fc.constantFrom('etag', 'vary', 'accept-ranges', 'content-length', 'digest', 'x-a', 'set-cookie', 'date')
const value = fc.stringMatching(/^[!-~]{0,12}$/)
const fieldList = fc.array(fc.tuple(name, value)).map((pairs) => pairs.flat())

void test('whatever the fields: one coding, no strong tag, Vary, and all else as it was', (t) => {
  const linesOf = (fields: readonly string[], wanted: string): string[] =>
    fields.filter((_, i) => i % 2 === 1 && fields[i - 1] === wanted)
  fc.assert(
    fc.property(fieldList, fc.constantFrom(...CODINGS), (fields, coding) => {
      const before = [...fields]
      const coded = codedFields(fields, coding)
      assert.deepEqual(fields, before, 'the list may be somebody else’s')
      assert.deepEqual(linesOf(coded, 'content-encoding'), [coding])
      for (const tag of linesOf(coded, 'etag')) assert.ok(tag.startsWith('W/'))
      assert.match(linesOf(coded, 'vary').join(','), /(^|,)\s*(\*|accept-encoding)\s*(,|$)/i)
      for (const kept of ['x-a', 'set-cookie', 'date']) assert.deepEqual(linesOf(coded, kept), linesOf(fields, kept))
      assert.deepEqual(varied(coded), coded, 'the second time changes nothing')
    }),
  )
  t.end()
})
