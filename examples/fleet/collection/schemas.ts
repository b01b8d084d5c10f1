import { Type, type TObject, type TSchema } from 'typebox'
import { type Collection, componentOf } from './definition.ts'

/** The id in the path of a row. */
export const rowParams = Type.Object({ id: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }) })

/** A reference to the row's component. */
export function rowOf(collection: Collection): TSchema {
  return Type.Ref(componentOf(collection))
}

/** The answer of a list. */
export function pageOf(collection: Collection): TObject {
  return Type.Object(
    {
      items: Type.Array(rowOf(collection)),
      total: Type.Integer({ description: 'Rows of all pages together' }),
      after: Type.Union([Type.String(), Type.Null()], { description: 'Cursor of the next page, null at the end' }),
    },
    { description: 'A page; Link: rel="next" leads on' },
  )
}

/** `limit`, `after`, `q`, `sort` and a parameter for each filter. Others are ignored. */
export function listQuery({ filters, search, sort, schema }: Collection): TObject {
  const orders = sort?.flatMap((field) => [field, `-${field}`]) ?? []
  return Type.Object({
    limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }),
    after: Type.Optional(Type.String({ maxLength: 400, description: 'Cursor of the Link field of the page before' })),
    ...(search && { q: Type.Optional(Type.String({ maxLength: 80, description: `Text in ${search.join(', ')}` })) }),
    ...(sort && { sort: Type.Optional(Type.Unsafe<string>({ type: 'string', enum: orders })) }),
    ...Type.Partial(Type.Pick(schema, [...filters])).properties,
  })
}

/** A new row: what is required, and what has a default. */
export function createBody({ schema }: Collection, create: NonNullable<Collection['create']>): TObject {
  return Type.Object(
    {
      ...Type.Pick(schema, [...create.required]).properties,
      ...Type.Partial(Type.Pick(schema, Object.keys(create.defaults))).properties,
    },
    { additionalProperties: false },
  )
}

/** A merge patch (RFC 7396) of the fields that may change. */
export function changeBody({ schema }: Collection, change: NonNullable<Collection['change']>): TObject {
  return Type.Partial(Type.Pick(schema, [...change]), { additionalProperties: false, minProperties: 1 })
}
