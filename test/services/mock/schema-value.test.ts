import { test } from 'tap'
import { NoValue, valueOf } from '../../../services/mock/schema-value.ts'
import { Specification } from '../../../services/openapi/specification.ts'
import type { Json } from '../../../services/openapi/document.ts'

const SCHEMAS = {
  Name: { type: 'string', minLength: 6 },
  Owner: { type: 'object', required: ['name'], properties: { name: { $ref: '#/components/schemas/Name' }, age: {} } },
  Tree: { type: 'object', required: ['child'], properties: { child: { $ref: '#/components/schemas/Tree' } } },
  Loop: { $ref: '#/components/schemas/Loop' },
}

function of(schema: Json, version = '3.1.0'): Json | string {
  const specification = new Specification({ openapi: version, components: { schemas: SCHEMAS } })
  const value = valueOf(specification, schema)
  return value instanceof NoValue ? `none: ${value.reason}` : value
}

void test('what a schema says itself is its value', async (t) => {
  t.equal(of({ type: 'string', example: 'a', default: 'b' }), 'a')
  t.equal(of({ type: 'string', examples: ['x', 'y'] }), 'x')
  t.equal(of({ type: 'integer', default: 0 }), 0)
  t.equal(of({ const: false }), false)
  t.equal(of({ const: null }), null)
  t.equal(of({ enum: ['red', 'green'] }), 'red')
  t.strictSame(of({ type: 'object', example: { a: 1 } }), { a: 1 })
  t.equal(of({ allOf: [{ type: 'string' }, { enum: ['late'] }] }), 'late')
})

void test('else the least that its type lets be', async (t) => {
  t.strictSame(of({}), {})
  t.equal(of({ type: 'boolean' }), false)
  t.equal(of({ type: ['null', 'string'] }), 'text')
  t.equal(of({ type: 'null' }), null)
  t.strictSame(of({ type: 'array', items: { type: 'string' } }), [])
  t.strictSame(of({ type: 'array', minItems: 2, items: { type: 'integer' } }), [0, 0])
  t.strictSame(of({ type: 'array', minItems: 2, prefixItems: [{ const: 1 }], items: { const: 2 } }), [1, 2])
  t.strictSame(of({ $ref: '#/components/schemas/Owner' }), { name: 'textxx' })
  t.strictSame(of({ required: ['a'], properties: { a: { type: 'boolean' }, b: {} } }), { a: false })
  t.strictSame(
    of({ required: ['a', 'secret'], properties: { a: { const: 1 }, secret: { type: 'string', writeOnly: true } } }),
    { a: 1 },
  )
  t.strictSame(
    of({
      allOf: [
        { $ref: '#/components/schemas/Owner' },
        { type: 'object', required: ['b'], properties: { b: { const: 1 } } },
      ],
    }),
    { name: 'textxx', b: 1 },
  )
  t.strictSame(
    of({ oneOf: [{ type: 'string', format: 'uuid' }, { type: 'integer' }] }),
    '00000000-0000-4000-8000-000000000000',
  )
  t.strictSame(
    of({ required: ['__proto__'], properties: { ['__proto__']: { const: 1 } } }),
    JSON.parse('{"__proto__":1}'),
  )
})

void test('numbers and texts keep to their bounds, in both versions', async (t) => {
  for (const [schema, expected] of [
    [{ type: 'integer', minimum: 3 }, 3],
    [{ type: 'integer', exclusiveMinimum: 3 }, 4],
    [{ type: 'integer', maximum: -2 }, -2],
    [{ type: 'integer', minimum: 0.5 }, 1],
    [{ type: 'number', multipleOf: 5, minimum: 7 }, 10],
    [{ type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 1 }, 0.5],
    [{ type: 'string', maxLength: 2 }, 'te'],
    [{ type: 'string', format: 'date-time' }, '1970-01-01T00:00:00Z'],
    [{ type: 'string', format: 'made-up' }, 'text'],
  ] as const) {
    t.equal(of(schema as unknown as Json), expected, JSON.stringify(schema))
  }
  t.equal(of({ type: 'integer', minimum: 3, exclusiveMinimum: true }, '3.0.3'), 4)
  t.equal(of({ type: 'string', nullable: true }, '3.0.3'), 'text')
})

void test('what cannot be made up is told with its place', async (t) => {
  t.match(of({ type: 'string', pattern: '^a' }), /^none: there is no example, and its schema has a pattern/)
  t.match(
    of({ required: ['a'], properties: { a: { type: 'string', pattern: 'x' } } }),
    /and none of a, and its schema has a/,
  )
  t.match(of({ $ref: '#/components/schemas/Tree' }), /child\.child.* its schema has itself within it/)
  t.match(of({ type: 'array', minItems: 1e9, items: { type: 'string' } }), /more than 10000 values/)
  t.match(of({ type: 'string', minLength: 1e9 }), /more than 10000 characters/)
  t.match(of({ type: 'integer', minimum: 5, maximum: 4 }), /lets no plain number be/)
  t.strictSame(of({ $ref: '#/components/schemas/Loop' }), {}, 'a reference to itself says nothing')
  t.strictSame(of({ $ref: 'https://elsewhere.test/schema.json' }), {})
})
