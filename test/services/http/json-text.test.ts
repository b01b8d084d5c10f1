import assert from 'node:assert/strict'
import fc from 'fast-check'
import { test } from 'tap'
import { readJsonText } from '../../../services/http/json-text.ts'

function found(text: string): string | undefined {
  const read = readJsonText(text)
  return typeof read === 'string' ? read : read.duplicate
}

void test('the second member of a name is pointed at', async (t) => {
  const cases: [string, string | undefined][] = [
    ['{"a":1,"a":1}', '/a'],
    ['{"a":1,"\\u0061":1}', '/a'],
    ['{"a":{"a":1},"b":[{"a":1},{"a":1}]}', undefined],
    ['[1,{"x":[[],{"b":{"k":1,"c":{},"k":2}}]}]', '/1/x/1/b/k'],
    ['{"a/b~":1,"a/b~":2}', '/a~1b~0'],
    ['{"__proto__":1,"__proto__":2}', '/__proto__'],
    ['{"":1,"":2}', '/'],
    ['{"1":1,"1":2}', '/1'],
    ['{"a":"a","b":"a:\\"a\\":","c\\\\":"\\\\","d":"{\\"a\\":1,\\"a\\":2}"}', undefined],
    ['{"c\\\\":"\\\\","c\\\\" \t\r\n: 1}', '/c\\'],
    ['"a"', undefined],
    ['null', undefined],
    ['{}', undefined],
  ]
  for (const [text, pointer] of cases) t.equal(found(text), pointer, text)
})

void test('a name with escapes is read as it is written, whatever was parsed before', async (t) => {
  for (const primer of ['{"id":1,"ro\\\\u":1}', '{"id":1,"\\\\":1}']) JSON.parse(primer)
  const text = '{"id":1,"ro\\u006ce":"admin","__pr\\u006fto__":{"x":[1,-2.5e3,true,null,"\\n"]},"\\u00e9":{}}'
  const read = readJsonText(text)
  t.equal(
    typeof read === 'string' ? read : JSON.stringify(read.value),
    '{"id":1,"role":"admin","__proto__":{"x":[1,-2500,true,null,"\\n"]},"é":{}}',
  )
})

void test('what is no JSON, or too deep, is not read', async (t) => {
  t.equal(readJsonText('{"a":'), 'is no JSON')
  t.equal(readJsonText('\uFEFF{}'), 'is no JSON')
  t.equal(readJsonText('['.repeat(200_000) + ']'.repeat(200_000)), 'is nested too deeply')
  t.equal(found(`{"a":${'['.repeat(900)}{"b":1,"b":2}${']'.repeat(900)}}`), `/a${'/0'.repeat(900)}/b`)
})

/** A value and a text of JSON that says it; whether some object in it has a name twice. */
interface Written {
  value: unknown
  text: string
  twice: boolean
}

const blank = fc.stringMatching(/^[ \t\r\n]{0,2}$/)
const name = fc.oneof(fc.constantFrom('a', 'b', '__proto__', '"', '\\', ':', 'é'), fc.string())
/** Escaped or not: they are the same name. */
const writtenName = fc.tuple(name, fc.boolean()).map(([text, escaped]) => ({
  name: text,
  text: escaped
    ? `"${Array.from({ length: text.length }, (_, i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`).join('')}"`
    : JSON.stringify(text),
}))
const { written } = fc.letrec<{ written: Written }>((tie) => ({
  written: fc.oneof(
    { depthSize: 'small' },
    fc.json({ maxDepth: 0 }).map((text) => ({ value: JSON.parse(text) as unknown, text, twice: false })),
    fc.array(tie('written'), { maxLength: 4 }).map((items) => ({
      value: items.map(({ value }) => value),
      text: `[${items.map(({ text }) => text).join(',')}]`,
      twice: items.some(({ twice }) => twice),
    })),
    fc.array(fc.tuple(writtenName, blank, tie('written')), { maxLength: 4 }).map((members) => ({
      value: Object.fromEntries(members.map(([one, , { value }]) => [one.name, value])),
      text: `{${members.map(([one, space, { text }]) => `${one.text}${space}:${space}${text}`).join(`,`)}}`,
      twice:
        new Set(members.map(([one]) => one.name)).size < members.length || members.some(([, , { twice }]) => twice),
    })),
  ),
}))

void test('every text is read as it was written, and what stands twice is found', async (t) => {
  fc.assert(
    fc.property(written, ({ value, text, twice }) => {
      const read = readJsonText(text)
      assert.ok(typeof read !== 'string')
      assert.deepStrictEqual(read.value, value)
      assert.equal(read.duplicate !== undefined, twice)
    }),
    { numRuns: 2_000 },
  )
  t.pass()
})
