import { test } from 'tap'
import { Type as TypeBox } from 'typebox'
import { Type } from '../../../services/options/type.ts'

void test('the builders make what those of TypeBox make', async (t) => {
  const made = (builder: typeof Type): unknown => {
    const described = { description: 'said of it', default: 1 }
    const word = builder.String({ ...described, pattern: '^a' })
    return [
      builder.Array(word, { ...described, minItems: 1 }),
      builder.Boolean(described),
      builder.Integer({ ...described, minimum: 0 }),
      ...['one', 2, true].map((value) => builder.Literal(value, described)),
      builder.Null(described),
      builder.Number(described),
      builder.Object({ first: word, second: builder.Optional(builder.Null()) }, { ...described, default: {} }),
      builder.Object({ only: builder.Optional(word), within: builder.Object({ other: word }) }),
      builder.Object({}),
      builder.Record(builder.String(), word, described),
      builder.Record(word, builder.Integer(), { additionalProperties: false }),
      builder.Union([word, builder.Null()], described),
      builder.Unknown(described),
      builder.Unsafe<'a'>({ type: 'string', enum: ['a'] }),
      builder.Array(builder.Array(builder.Integer())),
      builder.String(),
      builder.Unknown(),
    ]
  }
  // As text: the order is that of the generated documents.
  t.equal(JSON.stringify(made(Type), null, 1), JSON.stringify(made(TypeBox), null, 1))
})

void test('a schema that is optional in one object stays required in another', async (t) => {
  const schema = Type.String()
  t.notHas(Type.Object({ may: Type.Optional(schema) }), { required: ['may'] })
  t.match(Type.Object({ must: schema }), { required: ['must'] })
})
