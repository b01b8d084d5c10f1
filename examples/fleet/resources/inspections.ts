import { Type, type Static } from 'typebox'
import { defineCollection } from '../collection/definition.ts'
import { entity, oneOf, rowId, timestamp } from './entity.ts'

export const inspectionSchema = Type.Object(
  {
    ...entity,
    vehicleId: rowId,
    driverId: rowId,
    kind: oneOf(['pre-trip', 'post-trip', 'annual']),
    result: oneOf(['passed', 'passed-with-defects', 'failed']),
    defects: Type.Array(Type.String(), { description: 'Empty where it passed' }),
    performedAt: timestamp,
  },
  { $id: 'Inspection', additionalProperties: false },
)

export type Inspection = Static<typeof inspectionSchema>

export const inspections = defineCollection({
  name: 'inspections',
  schema: inspectionSchema,
  cacheControl: 'public, max-age=300, s-maxage=900',
  filters: ['vehicleId', 'driverId', 'kind', 'result'],
  sort: ['performedAt'],
})
