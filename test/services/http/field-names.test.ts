import { test } from 'tap'
import fc from 'fast-check'
import { FieldNames } from '../../../services/http/field-names.ts'

void test('a name of the set is never ruled out, however it is written', (t) => {
  const name = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9a-z-]{1,80}$/)
  fc.assert(
    fc.property(fc.array(name, { minLength: 1 }), (names) => {
      const set = new FieldNames(names)
      return names.every((each) => set.mayHave(each) && set.mayHave(each.toUpperCase()))
    }),
  )
  t.end()
})

void test('what browsers send is ruled out', (t) => {
  const set = new FieldNames(['expect', 'te', 'content-length'])
  for (const name of ['Accept', 'User-Agent', 'Accept-Language', 'Cookie', '']) t.notOk(set.mayHave(name), name)
  t.end()
})
