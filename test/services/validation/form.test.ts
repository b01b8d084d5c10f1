import { test } from 'tap'
import type { JsonObject } from '../../../services/openapi/document.ts'
import { Specification } from '../../../services/openapi/specification.ts'
import { Findings } from '../../../services/validation/finding.ts'
import { MediaRules } from '../../../services/validation/media-rules.ts'

const FORM = 'application/x-www-form-urlencoded'

/** What is found of a form. */
function told(schema: JsonObject, text: string, encoding: JsonObject = {}): string {
  const schemas = { Point: { type: 'object', required: ['x'], properties: { x: { type: 'integer' } } } }
  const specification = new Specification({ openapi: '3.0.3', components: { schemas } })
  const findings = new Findings()
  const rules = new MediaRules(specification, { [FORM]: { schema, encoding } }, 'request')
  rules.check(`${FORM};charset=utf-8`, Buffer.from(text), findings)
  return findings.list.map(({ pointer, message }) => `${pointer}: ${message}`).join('; ') || 'ok'
}

const object = (properties: JsonObject, more: JsonObject = {}): JsonObject => ({ type: 'object', properties, ...more })
const POINT = { $ref: '#/components/schemas/Point' }

void test('fields are read as the types that the schema wants, and all that is wrong is told', async (t) => {
  const schema = object(
    { n: { type: 'integer' }, ok: { type: 'boolean' }, name: { type: 'string', maxLength: 3 } },
    { required: ['n', 'name'], additionalProperties: false },
  )
  t.equal(told(schema, 'n=1&ok=true&name=a+b'), 'ok')
  t.equal(
    told(schema, 'n=x&ok=1&name=a%20bc'),
    '/n: must be integer; /ok: must be boolean; /name: must NOT have more than 3 characters',
  )
  t.equal(told(schema, ''), "/n: must have required property 'n'; /name: must have required property 'name'")
  t.equal(told(schema, 'n=1&name=a&ad%6Din=1'), '/admin: must NOT have additional properties')
  t.equal(told(schema, 'n=1&%6E=x&name=a'), '/n: stands more than once')
  t.equal(told(schema, 'n=1&name=%E4'), '/name: is no percent-encoded UTF-8')
  t.equal(told(object({}), 'a=1&'.repeat(1_001)), ': has more than 1000 fields')
})

void test('lists and objects are read by their encoding, or by what holds without one', async (t) => {
  const list = object({ ids: { type: 'array', items: { type: 'integer' }, maxItems: 2 } })
  t.equal(told(list, 'ids=1&ids=x'), '/ids/1: must be integer')
  t.equal(told(list, 'ids=1,2,3', { ids: { explode: false } }), '/ids: must NOT have more than 2 items')
  t.equal(told(list, 'ids=1|x', { ids: { style: 'pipeDelimited' } }), '/ids/1: must be integer')
  const point = object({ at: POINT }, { additionalProperties: false })
  t.equal(told(point, 'at=%7B%22x%22%3A%22no%22%7D'), '/at/x: must be integer')
  t.equal(told(point, 'x=1'), 'ok')
  t.equal(told(point, 'x=no'), '/at/x: must be integer')
  t.equal(told(point, 'at[x]=no', { at: { style: 'deepObject', explode: true } }), '/at/x: must be integer')
  t.equal(
    told(object({ at: { type: 'array', items: POINT } }), 'at={"x":1}&at={}'),
    "/at/1/x: must have required property 'x'",
  )
  t.equal(
    told({ allOf: [object({ n: { type: 'integer' } }), object({ at: POINT })] }, 'n=1&x=z'),
    '/at/x: must be integer',
  )
})

void test('fields that a property could be of, and is not read from, are judged as others', async (t) => {
  const closed = { additionalProperties: false }
  const point = object({ at: POINT }, closed)
  t.equal(told(point, 'at={"x":1}&x=no'), '/x: must NOT have additional properties')
  t.equal(told(point, 'at=no', { at: { style: 'deepObject', explode: true } }), '/at: must be object')
  const either = object({ at: { type: ['object', 'string'], properties: { x: { type: 'integer' } } } }, closed)
  t.equal(told(either, 'at=text'), 'ok')
  t.equal(told(either, 'x=no'), '/x: must NOT have additional properties')
})

void test('fields that no property is of are read as the schema of others has it', async (t) => {
  const schema = { type: 'object', additionalProperties: { type: 'integer' } }
  t.equal(told(schema, 'a=1&__proto__=2'), 'ok')
  t.equal(told(schema, 'a=1&a=2'), '/a: must be integer')
  t.equal(told(schema, '__proto__=x'), '/__proto__: must be integer')
})
