import { Type, type Static } from 'typebox'
import { defineCollection } from '../collection/definition.ts'
import { entity, oneOf, rowId, timestamp } from './entity.ts'

export const assignmentSchema = Type.Object(
  {
    ...entity,
    vehicleId: rowId,
    driverId: rowId,
    purpose: oneOf(['delivery', 'collection', 'service-call', 'transfer']),
    status: oneOf(['planned', 'running', 'done', 'cancelled']),
    startsAt: timestamp,
    endsAt: timestamp,
  },
  { $id: 'Assignment', additionalProperties: false },
)

export type Assignment = Static<typeof assignmentSchema>

export const assignments = defineCollection({
  name: 'assignments',
  schema: assignmentSchema,
  cacheControl: 'public, max-age=0, s-maxage=15, must-revalidate',
  filters: ['vehicleId', 'driverId', 'purpose', 'status'],
  sort: ['startsAt', 'endsAt'],
  create: { required: ['vehicleId', 'driverId', 'purpose', 'startsAt', 'endsAt'], defaults: { status: 'planned' } },
  change: ['status', 'startsAt', 'endsAt'],
  removable: true,
  references: { vehicleId: 'vehicles', driverId: 'drivers' },
})
