import { test } from 'tap'
import { defaultsOf, faultIn, withDefaults } from '../../../services/options/settled.ts'
import { Type } from '../../../services/options/type.ts'

const schema = Type.Object(
  {
    size: Type.Integer({ default: 3, minimum: 0 }),
    name: Type.Optional(Type.String()),
    words: Type.Array(Type.String(), { default: ['a'] }),
    within: Type.Object({ deep: Type.Boolean({ default: true }) }, { default: {}, additionalProperties: false }),
    either: Type.Union([Type.Object({ url: Type.String(), tries: Type.Integer({ default: 1 }) }), Type.Boolean()], {
      default: false,
    }),
    list: Type.Array(Type.Union([Type.String(), Type.Object({ weight: Type.Integer({ default: 9 }) })]), {
      default: [],
    }),
  },
  { additionalProperties: false },
)
const DEFAULTS = { size: 3, words: ['a'], within: { deep: true }, either: false, list: [] }

void test('defaults are filled in at any depth, and what is given stays', async (t) => {
  t.same(defaultsOf(schema), DEFAULTS)
  const given = { size: 0, within: { deep: false }, either: { url: '/' }, list: ['x', {}, { weight: 1 }] }
  t.same(withDefaults(schema, given), {
    ...DEFAULTS,
    ...given,
    either: { url: '/', tries: 1 },
    list: ['x', { weight: 9 }, { weight: 1 }],
  })
  t.same(withDefaults(schema, { within: null, words: 'no list' }), { ...DEFAULTS, within: null, words: 'no list' })
})

void test('neither what is given nor the schema is changed by it', async (t) => {
  const given = Object.freeze({ within: Object.freeze({}) })
  t.same(withDefaults(schema, given), DEFAULTS)
  defaultsOf(schema).words.push('b')
  t.same(defaultsOf(schema), DEFAULTS)
})

void test('the first fault says where it is and what is asked for', async (t) => {
  t.equal(faultIn(schema, DEFAULTS), undefined)
  t.equal(faultIn(schema, { ...DEFAULTS, within: { deep: 'secret' } }), '.within.deep must be boolean')
  t.equal(faultIn(schema, { ...DEFAULTS, size: -1 }), '.size must be >= 0')
  t.equal(faultIn(schema, 'secret'), ' must be object')
})
