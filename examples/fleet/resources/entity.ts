import { Type, type TUnsafe } from 'typebox'

/** The properties that every row has; spread first into a row's schema. */
export const entity = {
  id: Type.Integer({ minimum: 1, description: 'Identifier, never used twice' }),
  createdAt: Type.String({ format: 'date-time' }),
  updatedAt: Type.String({ format: 'date-time' }),
}

/** One of a closed set of words. */
export const oneOf = <const T extends readonly string[]>(values: T): TUnsafe<T[number]> =>
  Type.Unsafe<T[number]>({ type: 'string', enum: [...values] })

export const timestamp = Type.String({ format: 'date-time' })
export const day = Type.String({ format: 'date' })
export const rowId = Type.Integer({ minimum: 1 })
export const cents = Type.Integer({ minimum: 0, description: 'Euro cents' })

export const DEPOTS = ['Antwerp', 'Gdansk', 'Graz', 'Lyon', 'Malmo', 'Porto'] as const
