import { Type, type Static } from 'typebox'
import { defineCollection } from '../collection/definition.ts'
import { entity, timestamp } from './entity.ts'

export const positionSchema = Type.Object(
  {
    ...entity,
    at: timestamp,
    latitude: Type.Number({ minimum: -90, maximum: 90 }),
    longitude: Type.Number({ minimum: -180, maximum: 180 }),
    speedKmh: Type.Integer({ minimum: 0 }),
    headingDegrees: Type.Integer({ minimum: 0, maximum: 359 }),
    energyPercent: Type.Integer({ minimum: 0, maximum: 100, description: 'Tank or battery' }),
    engineOn: Type.Boolean(),
  },
  { $id: 'Position', additionalProperties: false, description: "A vehicle's last report; its id is the vehicle's" },
)

export type Position = Static<typeof positionSchema>

export const telematics = defineCollection({
  name: 'telematics',
  schema: positionSchema,
  cacheControl: 'public, max-age=1',
  filters: ['engineOn'],
  sort: ['speedKmh', 'energyPercent'],
})
