import { test } from 'tap'
import type { JsonObject } from '../../../services/openapi/document.ts'
import { Specification } from '../../../services/openapi/specification.ts'
import type { Direction } from '../../../services/validation/bundle.ts'
import { Findings } from '../../../services/validation/finding.ts'
import { SchemaRule } from '../../../services/validation/schema-rule.ts'

function told(openapi: string, schemas: JsonObject, value: unknown, direction: Direction = 'request'): string {
  const { list } = findingsOf(openapi, schemas, value, direction)
  return list.map(({ pointer, message }) => `${pointer}: ${message}`).join('; ') || 'ok'
}

function findingsOf(openapi: string, schemas: JsonObject, value: unknown, direction: Direction = 'request'): Findings {
  const specification = new Specification({ openapi, components: { schemas } })
  const findings = new Findings()
  const rule = new SchemaRule(specification, { $ref: '#/components/schemas/A' }, direction)
  rule.check(value, { place: 'body', before: '', findings })
  return findings
}

void test('a schema of OpenAPI 3.0 means what 3.0 says', async (t) => {
  const schemas: JsonObject = {
    A: {
      type: 'object',
      properties: {
        n: { type: 'integer', nullable: true },
        over: { type: 'number', minimum: 3, exclusiveMinimum: true },
        other: { $ref: '#/components/schemas/B', nullable: true },
      },
    },
    B: { type: 'string' },
  }
  t.equal(told('3.0.3', schemas, { n: null, over: 3.1, other: 'b' }), 'ok')
  t.equal(told('3.0.3', schemas, { over: 3 }), '/over: must be > 3')
  t.equal(told('3.0.3', schemas, { other: null }), '/other: must be string', 'beside a $ref nothing counts')
})

void test('a schema of OpenAPI 3.1 is JSON Schema 2020-12', async (t) => {
  const schemas: JsonObject = {
    A: {
      type: ['object', 'null'],
      prefixItems: [],
      properties: { list: { prefixItems: [{ type: 'string' }, { const: 1 }] } },
    },
  }
  t.equal(told('3.1.0', schemas, null), 'ok')
  t.equal(told('3.1.0', schemas, { list: ['a', 2] }), '/list/1: must be equal to constant')
})

void test('what has itself within it, and what leads nowhere, can be compiled', async (t) => {
  const tree: JsonObject = {
    A: {
      type: 'object',
      additionalProperties: false,
      properties: { next: { $ref: '#/components/schemas/A' }, x: { $ref: '#/nowhere' } },
    },
  }
  t.equal(told('3.1.0', tree, { next: { next: { x: 5 } } }), 'ok')
  t.equal(told('3.1.0', tree, { next: { 'a/b': 1 } }), '/next/a~1b: must NOT have additional properties')
  t.equal(told('3.1.0', { A: { $ref: '#/components/schemas/A' } }, 1), 'ok')
  t.equal(told('3.1.0', { A: { type: 'string', pattern: '(' } }, 'a'), 'ok', 'a pattern that is none')
  t.equal(told('3.1.0', { A: { type: 'string', pattern: '^\\-$' } }, '-'), 'ok', 'a pattern that is one without u')
})

void test('what the other side alone sends is not asked for', async (t) => {
  const schemas: JsonObject = {
    A: {
      type: 'object',
      required: ['id', 'password', 'name'],
      properties: {
        id: { readOnly: true },
        password: { writeOnly: true },
        name: { $ref: '#/components/schemas/Name' },
      },
    },
    Name: { type: 'string' },
  }
  t.equal(told('3.1.0', schemas, { password: 'x', name: 'y' }), 'ok')
  t.equal(told('3.1.0', schemas, { id: 1, name: 'y' }), "/password: must have required property 'password'")
  t.equal(told('3.1.0', schemas, { id: 1, name: 'y' }, 'response'), 'ok')
})

void test('a pointer is cut where a client has made up a long name', async (t) => {
  const found = told('3.1.0', { A: { type: 'object', additionalProperties: false } }, { ['x'.repeat(9_000)]: 1 })
  t.ok(found.length < 400)
})

const ITEMS: JsonObject = {
  A: { type: 'array', items: { $ref: '#/components/schemas/Item' } },
  Item: { type: 'object', required: ['sku'], properties: { sku: { type: 'string' }, n: { type: 'integer' } } },
}

void test('all faults are told, each once, up to twenty', async (t) => {
  t.equal(
    told('3.1.0', ITEMS, [{ sku: 1, n: 'x' }, { sku: 'a' }, {}]),
    "/0/sku: must be string; /0/n: must be integer; /2/sku: must have required property 'sku'",
  )
  const either: JsonObject = {
    A: { anyOf: [{ $ref: '#/components/schemas/B' }, { $ref: '#/components/schemas/B' }] },
    B: { type: 'string' },
  }
  t.equal(told('3.1.0', either, 1), ': must be string; : must match a schema in anyOf')
  const few = findingsOf('3.1.0', ITEMS, Array(20).fill({}))
  t.equal(few.list.length, 20)
  t.notOk(few.truncated)
  const many = findingsOf('3.1.0', ITEMS, Array(21).fill({}))
  t.equal(many.list.length, 20)
  t.ok(many.truncated)
})

void test('of a large value the first fault is told, for to look for all would take as long as a client likes', async (t) => {
  const { list, truncated } = findingsOf('3.1.0', ITEMS, Array(100_000).fill({}))
  t.match(list, [{ pointer: '/0/sku' }])
  t.ok(truncated)
})

void test('a name that every object answers to is sent or not as any other', async (t) => {
  const schemas = (given: JsonObject): JsonObject => ({ A: { type: 'object', ...given } })
  t.equal(told('3.1.0', schemas({ properties: { constructor: { type: 'string' } } }), {}), 'ok')
  t.match(told('3.1.0', schemas({ required: ['toString'] }), {}), /must have required property/)
})

void test('items are compared without regard to the order of members, in the time it takes to read them', async (t) => {
  const unique: JsonObject = { A: { uniqueItems: true } }
  t.equal(
    told('3.1.0', unique, [
      { a: 1, b: [1] },
      { b: [1], a: 1 },
    ]),
    ': must NOT have duplicate items',
  )
  t.equal(told('3.1.0', unique, [1, '1', true, 'true', null, 'null', [], {}, [1], [[1]], { a: 1 }, { a: '1' }]), 'ok')
  t.equal(told('3.1.0', { A: { uniqueItems: false } }, [1, 1]), 'ok')
  t.equal(
    told(
      '3.1.0',
      unique,
      Array.from({ length: 200_000 }, (_, i) => ({ i })),
    ),
    'ok',
  )
})

void test('a keyword that is none takes nothing with it', async (t) => {
  const besides: JsonObject[] = [
    { pattern: '(?i)^a$' },
    { type: 'any' },
    { enum: [] },
    { required: true },
    { items: [{ type: 'string' }] },
    { patternProperties: { '(?P<x>a)': false } },
  ]
  for (const beside of besides) {
    const schemas: JsonObject = { A: { type: 'object', properties: { x: beside, n: { type: 'integer' } } } }
    t.equal(told('3.0.3', schemas, { x: 'b', n: 'x' }), '/n: must be integer', JSON.stringify(beside))
  }
})

void test('a document makes no schema one that answers later, and fails where nobody listens', async (t) => {
  t.equal(told('3.1.0', { A: { $async: true, type: 'object' } }, 5), ': must be object')
  const findings = new Findings()
  const rule = new SchemaRule(new Specification({ openapi: '3.1.0' }), { $async: true, type: 'object' }, 'request')
  rule.check(5, { place: 'body', before: '', findings })
  t.match(findings.list, [{ message: 'must be object' }])
})

void test('what the other side sends is known wherever it is said', async (t) => {
  const parts: JsonObject = {
    Base: { type: 'object', properties: { id: { type: 'string', readOnly: true } } },
    Id: { type: 'string' },
  }
  const base: JsonObject = { $ref: '#/components/schemas/Base' }
  const wholes: JsonObject[] = [
    { required: ['id'], allOf: [base] },
    { allOf: [base, { type: 'object', required: ['id', 'n'] }] },
    { allOf: [{ allOf: [{ required: ['id'] }] }, base] },
    { required: ['id'], properties: { id: { $ref: '#/components/schemas/Id', readOnly: true } } },
  ]
  for (const A of wholes) {
    t.equal(told('3.1.0', { ...parts, A }, { n: 1 }), 'ok', JSON.stringify(A))
    t.match(told('3.1.0', { ...parts, A }, { n: 1 }, 'response'), /must have required property 'id'/)
  }
})

void test('a multiple is one in decimals', async (t) => {
  const cents: JsonObject = { A: { type: 'number', multipleOf: 0.01 } }
  for (const price of [19.99, 4.02, 1_234_567.89]) t.equal(told('3.1.0', cents, price), 'ok')
  t.match(told('3.1.0', cents, 19.999), /must be multiple of 0.01/)
})

void test('a search for all faults ends, also where each level has two ways on', async (t) => {
  const next: JsonObject = { next: { $ref: '#/components/schemas/A' } }
  const tree: JsonObject = {
    A: { anyOf: [{ $ref: '#/components/schemas/B' }, { $ref: '#/components/schemas/C' }] },
    // Left at once while it is the first fault that is looked for.
    B: { type: 'object', required: ['q'], properties: next },
    C: { type: 'object', properties: next },
  }
  const nested = (depth: number): unknown => (depth === 0 ? 1 : { next: nested(depth - 1) })
  t.match(findingsOf('3.1.0', tree, nested(3)), { truncated: false, list: { length: 8 } })
  const { list, truncated } = findingsOf('3.1.0', tree, nested(40))
  t.equal(list.length, 1)
  t.ok(truncated)
})

void test('a comparison ends, also where each level is held against two alternatives to its end', async (t) => {
  const schemas: JsonObject = {
    A: { oneOf: [{ $ref: '#/components/schemas/Cat' }, { $ref: '#/components/schemas/Dog' }] },
    Pet: { type: 'object', properties: { friend: { $ref: '#/components/schemas/A' } } },
    Cat: { allOf: [{ $ref: '#/components/schemas/Pet' }, { required: ['cat'] }] },
    Dog: { allOf: [{ $ref: '#/components/schemas/Pet' }, { required: ['dog'] }] },
  }
  const nested = (depth: number): unknown => ({ dog: 1, ...(depth > 0 && { friend: nested(depth - 1) }) })
  t.equal(told('3.1.0', schemas, nested(5)), 'ok')
  t.equal(told('3.1.0', schemas, nested(40)), ': takes too long to be compared with its schema')
  const list: JsonObject = { A: { type: 'array', items: { $ref: '#/components/schemas/B' } }, B: { type: 'integer' } }
  t.equal(told('3.1.0', list, Array(100_000).fill(1)), 'ok', 'what is long takes long')
})
