import { Type, type Static } from 'typebox'
import { defineCollection } from '../collection/definition.ts'
import { day, DEPOTS, entity, oneOf } from './entity.ts'

export const driverSchema = Type.Object(
  {
    ...entity,
    name: Type.String({ minLength: 1, maxLength: 80 }),
    email: Type.String({ format: 'email' }),
    phone: Type.String({ pattern: '^\\+[0-9 ]{6,20}$' }),
    licenceClass: oneOf(['B', 'C1', 'C', 'CE']),
    licenceExpiresOn: day,
    status: oneOf(['available', 'driving', 'off-duty', 'on-leave']),
    depot: oneOf(DEPOTS),
    hiredOn: day,
  },
  { $id: 'Driver', additionalProperties: false },
)

export type Driver = Static<typeof driverSchema>

export const drivers = defineCollection({
  name: 'drivers',
  schema: driverSchema,
  cacheControl: 'public, max-age=0, s-maxage=60, stale-while-revalidate=60',
  filters: ['licenceClass', 'status', 'depot'],
  search: ['name', 'email'],
  sort: ['name', 'licenceExpiresOn', 'hiredOn'],
  change: ['phone', 'licenceClass', 'licenceExpiresOn', 'status', 'depot'],
})
