import { Type, type Static } from 'typebox'
import { defineCollection } from '../collection/definition.ts'
import { cents, entity, oneOf, rowId, timestamp } from './entity.ts'

export const fuelSchema = Type.Object(
  {
    ...entity,
    vehicleId: rowId,
    driverId: rowId,
    station: Type.String(),
    filledAt: timestamp,
    quantity: Type.Number({ minimum: 0 }),
    unit: oneOf(['l', 'kWh']),
    unitPriceCents: cents,
    totalCents: cents,
  },
  { $id: 'FuelPurchase', additionalProperties: false },
)

export type FuelPurchase = Static<typeof fuelSchema>

export const fuel = defineCollection({
  name: 'fuel',
  schema: fuelSchema,
  cacheControl: 'public, max-age=60, s-maxage=300',
  filters: ['vehicleId', 'driverId', 'unit'],
  sort: ['filledAt', 'totalCents'],
})
