import { Type, type Static } from 'typebox'
import { defineCollection } from '../collection/definition.ts'
import { cents, day, entity, oneOf, rowId } from './entity.ts'

export const maintenanceSchema = Type.Object(
  {
    ...entity,
    vehicleId: rowId,
    kind: oneOf(['oil-change', 'tyres', 'brakes', 'battery', 'bodywork', 'annual-service']),
    workshop: Type.String(),
    performedOn: day,
    odometerKm: Type.Integer({ minimum: 0 }),
    costCents: cents,
  },
  { $id: 'Maintenance', additionalProperties: false },
)

export type Maintenance = Static<typeof maintenanceSchema>

export const maintenance = defineCollection({
  name: 'maintenance',
  schema: maintenanceSchema,
  cacheControl: 'public, max-age=60, s-maxage=600, stale-while-revalidate=600',
  filters: ['vehicleId', 'kind'],
  sort: ['performedOn', 'costCents'],
})
