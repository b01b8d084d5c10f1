import type { Static } from 'typebox'
import { Type } from '../options/type.ts'

/** `workers` of the configuration. */
export const workersSchema = Type.Object(
  {
    threads: Type.Integer({
      default: 1,
      minimum: 1,
      maximum: 64,
      description: 'Threads a process, started when there is work, ended after 30 s without any',
    }),
    queue: Type.Integer({
      default: 256,
      minimum: 0,
      maximum: 10_000,
      description: 'Tasks that may wait; further ones are refused',
    }),
  },
  { additionalProperties: false, default: {}, description: 'Threads for what would hold up requests' },
)

export type WorkersOptions = Static<typeof workersSchema>
