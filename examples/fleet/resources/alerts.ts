import { Type, type Static } from 'typebox'
import { defineCollection } from '../collection/definition.ts'
import { entity, oneOf, rowId, timestamp } from './entity.ts'

export const alertSchema = Type.Object(
  {
    ...entity,
    vehicleId: rowId,
    kind: oneOf(['speeding', 'geofence', 'low-fuel', 'engine-fault', 'document-expiring']),
    severity: oneOf(['info', 'warning', 'critical']),
    message: Type.String(),
    raisedAt: timestamp,
    acknowledged: Type.Boolean(),
  },
  { $id: 'Alert', additionalProperties: false },
)

export type Alert = Static<typeof alertSchema>

export const alerts = defineCollection({
  name: 'alerts',
  schema: alertSchema,
  cacheControl: 'public, max-age=0, s-maxage=2, stale-while-revalidate=10',
  filters: ['vehicleId', 'kind', 'severity', 'acknowledged'],
  sort: ['raisedAt'],
  change: ['acknowledged'],
})
