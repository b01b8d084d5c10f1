import { test } from 'tap'
import type { JsonObject } from '../../../services/openapi/document.ts'
import { Specification } from '../../../services/openapi/specification.ts'
import type { Direction } from '../../../services/validation/bundle.ts'
import { SchemaRule } from '../../../services/validation/schema-rule.ts'

function told(openapi: string, schemas: JsonObject, value: unknown, direction: Direction = 'request'): string {
  const specification = new Specification({ openapi, components: { schemas } })
  const found = new SchemaRule(specification, { $ref: '#/components/schemas/A' }, direction).check(value, 'body', '')
  return found === undefined ? 'ok' : `${found.pointer}: ${found.message}`
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
  t.equal(told('3.1.0', { A: { type: 'string', pattern: '(' } }, 1), 'ok', 'what cannot be compiled lets anything be')
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
