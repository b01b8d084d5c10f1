import { test } from 'tap'
import { acceptable } from '../../../services/mock/media-type.ts'
import { appliedOf, preferenceOf } from '../../../services/mock/prefer.ts'

void test('Prefer names a status and an example, in any of its forms', async (t) => {
  const read = (...lines: string[]) => preferenceOf(lines.flatMap((line) => ['Prefer', line]))
  const both = { status: 404, example: 'gone' }
  t.strictSame(read('code=404, example=gone'), both)
  t.strictSame(read('code=404', 'example="gone"'), both)
  t.strictSame(read('respond-async, Code = 404; x=1 ,EXAMPLE=gone;wait=1'), both)
  t.strictSame(read('code=404, code=500, example=gone, example=other'), both, 'the first of a name counts')
  t.strictSame(read('example="with blank"'), { status: null, example: 'with blank' })
  for (const nonsense of ['code=abc', 'code=99', 'code=600', 'code', 'example=', ',,;', 'code="404']) {
    t.strictSame(read(nonsense), { status: null, example: null }, nonsense)
  }
  t.strictSame(preferenceOf([]), { status: null, example: null })
})

void test('what was preferred is said to have been applied', async (t) => {
  t.equal(appliedOf({ status: 404, example: 'gone' }), 'code=404, example="gone"')
  t.equal(appliedOf({ status: null, example: null }), undefined)
})

void test('a client gets the media type that it takes best, of equal ones the first', async (t) => {
  const types = ['application/json', 'text/csv', 'application/vnd.a+json; v=1']
  t.equal(acceptable(undefined, types), 'application/json')
  t.equal(acceptable('', types), 'application/json')
  t.equal(acceptable('text/csv', types), 'text/csv')
  t.equal(acceptable('text/*;q=0.9, application/json;q=0.5', types), 'text/csv')
  t.equal(acceptable('*/*, application/json;q=0', types), 'text/csv')
  t.equal(acceptable('application/vnd.a+json', types), 'application/vnd.a+json; v=1')
  t.equal(acceptable('image/png', types), undefined)
  t.equal(acceptable('nonsense', types), undefined)
  t.equal(acceptable('*/*', []), undefined)
})
