import { test } from 'tap'
import type { JsonText } from '../../../services/http/json-text.ts'
import { CompiledBody, readJson } from '../../../services/transform/json-body.ts'
import type { BodyChanges } from '../../../services/transform/options.ts'

const NOTHING: BodyChanges = { pick: [], remove: [], mask: [], rename: [] }

function changed(changes: Partial<BodyChanges>, text: string): string {
  const { value } = readJson(Buffer.from(text)) as JsonText
  return JSON.stringify(new CompiledBody({ ...NOTHING, ...changes }).apply(value))
}

const ORDER = '{"id":1,"card":{"number":"4111","exp":"1/30"},"items":[{"sku":"a","cost":3},{"sku":"b","cost":4}]}'

void test('members are picked, with what leads to them', async (t) => {
  t.equal(changed({ pick: ['/id', '/items/*/sku'] }, ORDER), '{"id":1,"items":[{"sku":"a"},{"sku":"b"}]}')
  t.equal(changed({ pick: ['/card'] }, ORDER), '{"card":{"number":"4111","exp":"1/30"}}')
  t.equal(changed({ pick: ['/items/1'] }, ORDER), '{"items":[{"sku":"b","cost":4}]}')
  t.equal(changed({ pick: ['/none'] }, ORDER), '{}')
  t.equal(
    changed({ pick: ['/id/deeper'] }, '{"id":"secret"}'),
    '{"id":null}',
    'nothing is shown that no pointer leads to',
  )
  t.equal(changed({ pick: ['/*/sku'] }, '[{"sku":1,"x":2}]'), '[{"sku":1}]')
})

void test('members are removed, masked and renamed, by what came', async (t) => {
  t.equal(
    changed({ remove: ['/items/*/cost'], mask: ['/card/number'], rename: [['/items/*/sku', 'code']] }, ORDER),
    '{"id":1,"card":{"number":"***","exp":"1/30"},"items":[{"code":"a"},{"code":"b"}]}',
  )
  t.equal(changed({ mask: ['/a'], rename: [['/a', 'b']] }, '{"a":{"deep":1}}'), '{"b":"***"}')
  t.equal(changed({ remove: ['/0'] }, '[1,2]'), '[2]')
  for (const text of ['{"id":1,"f":2,"x":3}', '{"f":2,"id":1,"x":3}'])
    t.equal(changed({ rename: [['/id', 'f']] }, text), '{"f":1,"x":3}', 'in place of who had the name')
  t.equal(
    changed({ mask: ['/*/a'], remove: ['/x/b'] }, '{"x":{"a":1,"b":2},"y":{"a":3}}'),
    '{"x":{"a":"***"},"y":{"a":"***"}}',
  )
  t.equal(changed({ remove: ['/a'], mask: ['/*'] }, '{"a":1,"b":2}'), '{"b":"***"}')
  t.equal(changed({ mask: ['/a~1b/~0'] }, '{"a/b":{"~":1}}'), '{"a/b":{"~":"***"}}')
})

void test('what is not named stays as it was written, numbers without end and odd names too', async (t) => {
  const text = '{"n":12345678901234567890,"f":1.10,"e":1e400,"__proto__":{"x":1},"s":"\\u00e9"}'
  t.equal(changed({ mask: ['/none'] }, text), text.replace('\\u00e9', 'é'))
  const escaped = text.replace('"f"', '"\\u0066"')
  t.equal(changed({ mask: ['/none'] }, escaped), text.replace('\\u00e9', 'é'), 'names with escapes beside them')
  t.equal(changed({ mask: ['/n'] }, '{"n":12345678901234567890}'), '{"n":"***"}')
  t.equal(changed({ rename: [['/a', '__proto__']] }, '{"a":1}'), '{"__proto__":1}')
  t.equal(({} as { x?: number }).x, undefined)
  t.equal(changed({ mask: ['/a'] }, '"text"'), '"text"')
})
