import { Type, type Static } from 'typebox'
import { defineCollection } from '../collection/definition.ts'
import { day, entity, oneOf, rowId } from './entity.ts'

export const documentSchema = Type.Object(
  {
    ...entity,
    vehicleId: rowId,
    kind: oneOf(['registration', 'insurance', 'lease', 'emissions-certificate']),
    title: Type.String(),
    mediaType: oneOf(['application/pdf', 'image/jpeg']),
    sizeBytes: Type.Integer({ minimum: 0 }),
    issuedOn: day,
    expiresOn: day,
  },
  { $id: 'Document', additionalProperties: false },
)

export type FleetDocument = Static<typeof documentSchema>

/** Contracts: a client may keep them, a shared cache may not. */
export const documents = defineCollection({
  name: 'documents',
  schema: documentSchema,
  cacheControl: 'private, no-cache',
  filters: ['vehicleId', 'kind'],
  search: ['title'],
  sort: ['issuedOn', 'expiresOn'],
})
