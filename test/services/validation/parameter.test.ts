import { test } from 'tap'
import type { JsonObject } from '../../../services/openapi/document.ts'
import { Specification } from '../../../services/openapi/specification.ts'
import { Findings } from '../../../services/validation/finding.ts'
import { Parameter } from '../../../services/validation/parameter.ts'
import type { ParameterPlace, Raw } from '../../../services/validation/written-value.ts'

const specification = new Specification({ openapi: '3.1.0' })

/** What is found of a parameter. @param given as it stands in the query, else the whole value */
function check(place: ParameterPlace, node: JsonObject, given: string): string {
  const pairs = given === '' ? [] : given.split('&').map((pair) => pair.split('=', 2) as [string, string])
  const raw: Raw = {
    path: new Map(given === '' ? [] : [['p', given]]),
    query: pairs,
    cookie: pairs,
    header: (name) => (name === 'p' && given !== '' ? given : undefined),
  }
  const findings = new Findings()
  new Parameter(specification, { name: 'p', in: place, ...node }, place).check(raw, findings)
  return findings.list.map((found) => `${found.in}${found.pointer}: ${found.message}`).join('; ') || 'ok'
}

const INTEGERS = { type: 'array', items: { type: 'integer' }, maxItems: 2 }
const POINT = { type: 'object', required: ['x'], properties: { x: { type: 'integer' }, y: { type: 'boolean' } } }

void test('text is read as the type that the schema wants', async (t) => {
  const schema = (given: JsonObject): JsonObject => ({ schema: given })
  t.equal(check('query', schema({ type: 'integer', maximum: 9 }), 'p=7'), 'ok')
  t.equal(check('query', schema({ type: 'integer', maximum: 9 }), 'p=10'), 'query/p: must be <= 9')
  t.equal(check('query', schema({ type: 'integer' }), 'p=0x7'), 'query/p: must be integer')
  t.equal(check('query', schema({ type: 'boolean' }), 'p=true'), 'ok')
  t.equal(check('query', schema({ type: 'string' }), 'p=7'), 'ok')
  t.equal(check('query', schema({ enum: [1, 2] }), 'p=2'), 'ok')
  t.equal(check('query', schema({ enum: [1, 2] }), 'p=3'), 'query/p: must be equal to one of the allowed values')
  t.equal(
    check('query', schema({ type: 'string', format: 'date' }), 'p=2026-02-30'),
    'query/p: must match format "date"',
  )
  t.equal(check('query', schema({ type: 'string' }), 'p=%E4'), 'query/p: is no percent-encoded UTF-8')
  t.equal(check('query', schema({ type: 'string' }), 'p=1&p=2'), 'query/p: stands more than once')
  t.equal(check('query', { required: true, ...schema({ type: 'string' }) }, ''), 'query/p: is missing')
  t.equal(check('query', schema({ type: 'string' }), ''), 'ok')
  t.equal(check('query', schema({ type: 'integer' }), 'p='), 'query/p: must be integer')
  t.equal(check('query', { allowEmptyValue: true, ...schema({ type: 'integer' }) }, 'p='), 'ok')
  t.equal(check('header', schema({ type: 'integer' }), 'x'), 'header/p: must be integer')
  t.equal(check('cookie', schema({ type: 'integer' }), 'p=x'), 'cookie/p: must be integer')
  t.equal(
    check('query', { content: { 'application/json': { schema: POINT } } }, 'p=%7B%22x%22:%221%22%7D'),
    'query/p/x: must be integer',
  )
  t.equal(check('query', { content: { 'application/json': {} } }, 'p=%7B'), 'query/p: is no JSON')
  t.equal(
    check('query', { content: { 'application/json': {} } }, 'p={"a":{"b":1,"b":2}}'),
    'query/p/a/b: stands more than once',
  )
})

void test('lists are read by their style', async (t) => {
  const cases: [ParameterPlace, JsonObject, string, string][] = [
    ['query', {}, 'p=1&p=2', 'ok'],
    ['query', {}, 'p=1&p=x', 'query/p/1: must be integer'],
    ['query', {}, 'p=y&p=x', 'query/p/0: must be integer; query/p/1: must be integer'],
    ['query', { explode: false }, 'p=1,2', 'ok'],
    ['query', { explode: false }, 'p=1,2,3', 'query/p: must NOT have more than 2 items'],
    ['query', { style: 'spaceDelimited', explode: false }, 'p=1%202', 'ok'],
    ['query', { style: 'pipeDelimited', explode: false }, 'p=1|x', 'query/p/1: must be integer'],
    ['path', {}, '1,2', 'ok'],
    ['path', { style: 'label', explode: true }, '.1.x', 'path/p/1: must be integer'],
    ['path', { style: 'matrix' }, ';p=1,2', 'ok'],
    ['path', { style: 'matrix', explode: true }, ';p=1;p=x', 'path/p/1: must be integer'],
    ['header', {}, '1, 2', 'ok'],
    // What stands twice would be read once here, and perhaps the other way by who is asked next.
    ['query', { explode: false }, 'p=1,2&p=x', 'query/p: stands more than once'],
    ['query', { style: 'pipeDelimited', explode: false }, 'p=1|2&p=x', 'query/p: stands more than once'],
    ['query', { style: 'spaceDelimited', explode: true }, 'p=1&p=x', 'query/p/1: must be integer'],
    ['cookie', { explode: false }, 'p=1&p=x', 'cookie/p: stands more than once'],
  ]
  for (const [place, node, given, told] of cases)
    t.equal(check(place, { ...node, schema: INTEGERS }, given), told, `${place} ${JSON.stringify(node)} ${given}`)
})

void test('objects are read by their style', async (t) => {
  const cases: [ParameterPlace, JsonObject, string, string][] = [
    ['query', {}, 'x=1&y=true', 'ok'],
    ['query', {}, 'y=true', "query/p/x: must have required property 'x'"],
    ['query', { style: 'deepObject', explode: true }, 'p[x]=1&p[y]=no', 'query/p/y: must be boolean'],
    ['query', { explode: false }, 'p=x,1,y,true', 'ok'],
    ['path', {}, 'x,1', 'ok'],
    ['path', { explode: true }, 'x=z', 'path/p/x: must be integer'],
    ['header', {}, 'x,1', 'ok'],
    ['query', {}, 'x=z&x=1', 'query/p: stands more than once'],
    ['query', { style: 'deepObject', explode: true }, 'p[x]=z&p[x]=1', 'query/p: stands more than once'],
    ['query', { explode: false }, 'p=x,1&p=x,z', 'query/p: stands more than once'],
    ['query', { explode: false }, 'p=x,z,x,1', 'query/p: stands more than once'],
    ['query', { explode: false }, 'p=%78,z,x,1', 'query/p: stands more than once'],
    ['header', {}, 'x,z,x,1', 'header/p: stands more than once'],
  ]
  for (const [place, node, given, told] of cases)
    t.equal(check(place, { ...node, schema: POINT }, given), told, `${place} ${JSON.stringify(node)} ${given}`)
  t.equal(check('query', { style: 'deepObject', schema: POINT }, 'p[x]=1&p[__proto__]=1'), 'ok')
})
