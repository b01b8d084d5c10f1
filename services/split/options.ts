import type { Static } from 'typebox'
import { Duration, milliseconds, OneOf } from '../options/schema.ts'
import { TOKEN } from '../options/token.ts'
import { Type } from '../options/type.ts'

const ruleSchema = Type.Object(
  {
    header: Type.Optional(
      Type.String({ pattern: `^${TOKEN}$`, expects: "a name such as 'x-canary'", description: 'Name of a field' }),
    ),
    cookie: Type.Optional(
      Type.String({ pattern: `^${TOKEN}$`, expects: "a name such as 'canary'", description: 'Name of a cookie' }),
    ),
    is: Type.Optional(Type.String({ description: 'Its whole value; without it, any' })),
    to: Type.String({ description: 'The side that such requests go to' }),
  },
  {
    additionalProperties: false,
    examples: [{ header: 'x-canary', is: '1', to: 'orders-next' }],
    description: 'Requests that go to one side, whatever the shares',
  },
)

/** `to` of a route that has several upstreams. */
export const splitSchema = Type.Object(
  {
    split: Type.Record(Type.String(), Type.Number({ minimum: 0, maximum: 1_000_000 }), {
      examples: [{ orders: 95, 'orders-next': 5 }],
      description:
        'Upstreams, each with its share of the requests in relation to the others; 0: only what a rule sends there',
    }),
    rules: Type.Array(ruleSchema, {
      default: [],
      maxItems: 64,
      description: 'What goes to one side by a field or a cookie; the first that fits wins, over shares and sticky',
    }),
    sticky: Type.Optional(
      Type.Union(
        [
          Type.String({
            pattern: `^((header|cookie):${TOKEN}|client)$`,
            expects: "'header:x-tenant', 'cookie:sid' or 'client'",
            description: 'By what requests have in common',
          }),
          Type.Object(
            {
              cookie: Type.String({
                default: 'headrace-side',
                pattern: `^${TOKEN}$`,
                expects: "the name of a cookie such as 'headrace-side'",
                description: 'Name of the cookie that the gateway sets: HttpOnly, SameSite=Lax, its value by chance',
              }),
              maxAge: Duration({
                default: '0s',
                description: "How long browsers keep it; '0s': until they are closed",
              }),
            },
            { additionalProperties: false, examples: [{ cookie: 'headrace-side' }], description: 'By a cookie' },
          ),
        ],
        {
          description:
            "Keep a client at its side: by a cookie that the gateway sets ({}), or by what its requests have in common: 'header:x-tenant', 'cookie:sid' or 'client' (its address)",
        },
      ),
    ),
    cache: OneOf(['by-side', 'shared'], {
      default: 'by-side',
      description:
        "What the route's cache has of one side is for that side alone; or the sides answer alike, and it is for all (shared)",
    }),
  },
  {
    additionalProperties: false,
    examples: [{ split: { orders: 95, 'orders-next': 5 } }],
    description: 'Several upstreams, each for a share of the requests',
  },
)

export type SplitInput = Static<typeof splitSchema>

export interface SplitRule {
  /** Where to look: `header:x-canary`, `cookie:canary`. */
  key: string
  /** `null`: any value. */
  is: string | null
  to: string
}

/** How a client is kept at its side. */
export type SplitSticky =
  | { by: 'cookie'; cookie: string /** 0: as long as the browser is open. */; maxAgeMs: number }
  | { by: 'hash' /** As in {@link SplitRule}, or `client`. */; key: string }

export interface SplitOptions {
  /** At least one share is more than 0. */
  sides: { name: string; weight: number }[]
  rules: SplitRule[]
  sticky: SplitSticky | null
  cache: 'by-side' | 'shared'
}

/** The side with the largest share, of equal ones the first. */
export function mainSide(sides: readonly { name: string; weight: number }[]): string {
  return sides.reduce((main, side) => (side.weight > main.weight ? side : main), sides[0]!).name
}

export function resolveSplit({ split, rules, sticky, cache }: SplitInput): SplitOptions {
  return {
    sides: Object.entries(split).map(([name, weight]) => ({ name, weight })),
    rules: rules.map(({ header, cookie, is = null, to }) => ({
      key: header === undefined ? `cookie:${cookie}` : `header:${header}`,
      is,
      to,
    })),
    sticky: sticky === undefined ? null : resolveSticky(sticky),
    cache,
  }
}

function resolveSticky(sticky: NonNullable<SplitInput['sticky']>): SplitSticky {
  if (typeof sticky === 'string') return { by: 'hash', key: sticky }
  return { by: 'cookie', cookie: sticky.cookie, maxAgeMs: milliseconds(sticky.maxAge) }
}
