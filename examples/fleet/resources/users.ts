import { Type, type Static } from 'typebox'
import { defineCollection } from '../collection/definition.ts'
import { entity, oneOf, timestamp } from './entity.ts'

export const userSchema = Type.Object(
  {
    ...entity,
    name: Type.String(),
    email: Type.String({ format: 'email' }),
    role: oneOf(['admin', 'dispatcher', 'mechanic', 'viewer']),
    active: Type.Boolean(),
    lastLoginAt: timestamp,
  },
  { $id: 'User', additionalProperties: false },
)

export type User = Static<typeof userSchema>

/** Staff records: for one client's cache only. */
export const users = defineCollection({
  name: 'users',
  schema: userSchema,
  cacheControl: 'private, max-age=60',
  filters: ['role', 'active'],
  search: ['name', 'email'],
  sort: ['name', 'lastLoginAt'],
})
