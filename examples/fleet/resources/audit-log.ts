import { Type, type Static } from 'typebox'
import { defineCollection } from '../collection/definition.ts'
import { entity, oneOf, rowId } from './entity.ts'

export const auditEntrySchema = Type.Object(
  {
    ...entity,
    actor: Type.String({ description: 'X-Actor of the request, "anonymous" without it' }),
    action: oneOf(['create', 'update', 'delete']),
    resource: Type.String({ description: 'Collection: "work-orders"' }),
    resourceId: rowId,
    fields: Type.Array(Type.String(), { description: 'What was written; never the values' }),
  },
  { $id: 'AuditEntry', additionalProperties: false },
)

export type AuditEntry = Static<typeof auditEntrySchema>

export const auditLog = defineCollection({
  name: 'audit-log',
  schema: auditEntrySchema,
  cacheControl: 'no-store',
  filters: ['actor', 'action', 'resource', 'resourceId'],
  sort: ['createdAt'],
})
