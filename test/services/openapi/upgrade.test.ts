import { test } from 'tap'
import { upgradeSchema } from '../../../services/openapi/upgrade.ts'

void test('nullable becomes a null type, or an alternative where there is no type', (t) => {
  t.same(upgradeSchema({ type: 'string', nullable: true }), { type: ['string', 'null'] })
  t.same(upgradeSchema({ type: 'string', nullable: false }), { type: 'string' })
  t.same(upgradeSchema({ nullable: true }), {})
  t.same(upgradeSchema({ description: 'who', nullable: true, allOf: [{ $ref: '#/components/schemas/Owner' }] }), {
    description: 'who',
    anyOf: [{ allOf: [{ $ref: '#/components/schemas/Owner' }] }, { type: 'null' }],
  })
  t.end()
})

void test('exclusive bounds become numbers', (t) => {
  t.same(upgradeSchema({ minimum: 3, exclusiveMinimum: true }), { exclusiveMinimum: 3 })
  t.same(upgradeSchema({ minimum: 3, exclusiveMinimum: false }), { minimum: 3 })
  t.same(upgradeSchema({ maximum: 9, exclusiveMaximum: true, minimum: 1 }), { minimum: 1, exclusiveMaximum: 9 })
  t.same(upgradeSchema({ exclusiveMaximum: true }), {})
  t.end()
})

void test('an example becomes a list of examples', (t) => {
  t.same(upgradeSchema({ type: 'string', example: 'x' }), { type: 'string', examples: ['x'] })
  t.same(upgradeSchema({ example: null }), { examples: [null] })
  t.end()
})

void test('what stands beside a reference was without effect, and stays so', (t) => {
  t.same(upgradeSchema({ $ref: '#/components/schemas/A', minLength: 3 }), { $ref: '#/components/schemas/A' })
  t.end()
})
