import { Type, type Static } from 'typebox'
import { defineCollection } from '../collection/definition.ts'
import { cents, day, entity, oneOf, rowId } from './entity.ts'

export const workOrderSchema = Type.Object(
  {
    ...entity,
    vehicleId: rowId,
    assigneeId: rowId,
    title: Type.String({ minLength: 3, maxLength: 120 }),
    priority: oneOf(['low', 'normal', 'high', 'urgent']),
    status: oneOf(['open', 'in-progress', 'waiting-for-parts', 'closed']),
    dueOn: day,
    estimateCents: cents,
  },
  { $id: 'WorkOrder', additionalProperties: false },
)

export type WorkOrder = Static<typeof workOrderSchema>

/** Stored, but asked about on each use: a mechanic must never see an old status. */
export const workOrders = defineCollection({
  name: 'work-orders',
  schema: workOrderSchema,
  cacheControl: 'public, no-cache',
  filters: ['vehicleId', 'assigneeId', 'priority', 'status'],
  search: ['title'],
  sort: ['dueOn', 'estimateCents'],
  create: {
    required: ['vehicleId', 'assigneeId', 'title', 'dueOn'],
    defaults: { priority: 'normal', status: 'open', estimateCents: 0 },
  },
  change: ['assigneeId', 'title', 'priority', 'status', 'dueOn', 'estimateCents'],
  references: { vehicleId: 'vehicles', assigneeId: 'users' },
})
