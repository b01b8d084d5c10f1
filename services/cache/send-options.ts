import type { Static } from 'typebox'
import { OneOf } from '../options/schema.ts'
import { Type } from '../options/type.ts'

const ARGUMENT = '(=([0-9]+|"[^"\\\\]*"))?'
const DIRECTIVE = `[a-z][a-z0-9-]*${ARGUMENT}`

const Directives = (description: string, examples: string[]) =>
  Type.Optional(
    Type.String({
      pattern: `^${DIRECTIVE}(, *${DIRECTIVE})*$`,
      expects: "directives in lower case such as 'public, max-age=60'",
      description,
      examples,
    }),
  )

/** `send` of a route's cache. */
export const sendSchema = Type.Object(
  {
    cacheControl: Directives(
      "Cache-Control of what is stored, for browsers, in place of the origin's (and of Expires and Pragma). Lifetimes begin when the client gets the answer",
      ['max-age=60', 'private, max-age=60', 'no-cache'],
    ),
    cdnCacheControl: Directives(
      "CDN-Cache-Control of what is stored, for caches before this one (RFC 9213), in place of the origin's",
      ['max-age=3600, stale-while-revalidate=60'],
    ),
    tags: OneOf(['origin', 'none', 'surrogate-key', 'cache-tag'], {
      default: 'origin',
      description:
        "origin: Surrogate-Key and Cache-Tag go on as they came; none: they are taken out; surrogate-key, cache-tag: the route's and the origin's tags in the one field, for a content network that purges by them",
    }),
  },
  { additionalProperties: false, default: {}, description: 'What clients are told in place of what the origin says' },
)

export interface SendOptions {
  cacheControl: string | null
  cdnCacheControl: string | null
  tags: 'origin' | 'none' | 'surrogate-key' | 'cache-tag'
}

export function resolveSend({ cacheControl, cdnCacheControl, tags }: Static<typeof sendSchema>): SendOptions {
  return { cacheControl: cacheControl ?? null, cdnCacheControl: cdnCacheControl ?? null, tags }
}
