import { Type, type Static } from 'typebox'
import { OneOf } from '../options/schema.ts'

/** One route as people write it; its key in `routes` is `[METHODS ][host]/path`. */
export const routeSchema = Type.Object(
  {
    to: Type.String({ description: 'Name of the upstream' }),
    stripPrefix: Type.Boolean({
      default: false,
      description: "Send the path without the part before the pattern's first parameter or wildcard",
    }),
    rewrite: Type.Optional(
      Type.String({
        pattern: '^/',
        expects: "a path such as '/v2/*'",
        description: "Path sent instead: '/api/vehicles/:id', '/v2/*'; parameters of the pattern may be used",
      }),
    ),
    encodedSlash: OneOf(['opaque', 'refuse'], {
      default: 'opaque',
      description: '%2F in a path: sent as it is and no separator, or refused with 400',
    }),
    docs: Type.Boolean({ default: true, description: "Show the upstream's operations of this route in /docs" }),
  },
  { additionalProperties: false, description: 'Where matching requests go' },
)

export type RouteInput = Static<typeof routeSchema>

export interface RouteOptions {
  /** The key as written: `'GET /vehicles/:id'`. */
  key: string
  to: string
  stripPrefix: boolean
  rewrite: string | null
  encodedSlash: 'opaque' | 'refuse'
  docs: boolean
}

export function resolveRoute(key: string, input: RouteInput): RouteOptions {
  return {
    key,
    to: input.to,
    stripPrefix: input.stripPrefix,
    rewrite: input.rewrite ?? null,
    encodedSlash: input.encodedSlash,
    docs: input.docs,
  }
}
