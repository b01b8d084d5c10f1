import { Type, type Static } from 'typebox'
import { defineCollection } from '../collection/definition.ts'
import { DEPOTS, entity, oneOf } from './entity.ts'

export const VEHICLE_TYPES = ['van', 'truck', 'pickup', 'car'] as const
export const COLOURS = ['white', 'blue', 'orange'] as const

export const vehicleSchema = Type.Object(
  {
    ...entity,
    vin: Type.String({ pattern: '^[A-HJ-NPR-Z0-9]{17}$', description: 'Vehicle identification number (ISO 3779)' }),
    plate: Type.String({ minLength: 2, maxLength: 12 }),
    type: oneOf(VEHICLE_TYPES),
    make: Type.String({ minLength: 1, maxLength: 40 }),
    model: Type.String({ minLength: 1, maxLength: 40 }),
    year: Type.Integer({ minimum: 1990, maximum: 2030 }),
    colour: oneOf(COLOURS),
    fuelType: oneOf(['diesel', 'petrol', 'electric', 'hybrid']),
    status: oneOf(['active', 'idle', 'workshop', 'retired']),
    depot: oneOf(DEPOTS),
    odometerKm: Type.Integer({ minimum: 0 }),
    payloadKg: Type.Integer({ minimum: 0 }),
  },
  { $id: 'Vehicle', additionalProperties: false },
)

export type Vehicle = Static<typeof vehicleSchema>

export const vehicles = defineCollection({
  name: 'vehicles',
  schema: vehicleSchema,
  cacheControl: 'public, max-age=5, s-maxage=30, stale-while-revalidate=60, stale-if-error=600',
  filters: ['type', 'make', 'year', 'colour', 'fuelType', 'status', 'depot'],
  search: ['plate', 'vin', 'make', 'model'],
  sort: ['plate', 'make', 'year', 'depot', 'odometerKm', 'updatedAt'],
  create: {
    required: ['vin', 'plate', 'type', 'make', 'model', 'year', 'depot'],
    defaults: { colour: 'white', fuelType: 'diesel', status: 'idle', odometerKm: 0, payloadKg: 0 },
  },
  change: ['plate', 'colour', 'status', 'depot', 'odometerKm', 'payloadKg'],
  removable: true,
})
