import type { Static } from 'typebox'
import { bytes, OneOf, Size } from '../options/schema.ts'
import { TOKEN } from '../options/token.ts'
import { Type } from '../options/type.ts'

const headersSchema = Type.Object(
  {
    count: Type.Optional(Type.Integer({ minimum: 0, maximum: 10_000, description: 'Fields at most' })),
    size: Type.Optional(Size({ description: 'Bytes of their names and values together, at most' })),
    required: Type.Array(
      Type.String({ pattern: `^${TOKEN}$`, expects: "a name such as 'x-tenant'", description: 'Name of a field' }),
      { default: [], maxItems: 64, description: 'Fields that a request must have' },
    ),
  },
  {
    additionalProperties: false,
    default: {},
    examples: [{ required: ['x-tenant'] }],
    description: 'End-to-end fields of a request; lines of Cookie count as one',
  },
)

const querySchema = Type.Object(
  {
    length: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 1_000_000, description: 'Characters at most, without the ?' }),
    ),
    parameters: Type.Optional(Type.Integer({ minimum: 0, maximum: 100_000, description: 'Parameters at most' })),
    duplicates: OneOf(['allow', 'refuse'], {
      default: 'allow',
      description: 'A parameter that stands more than once: readers differ in which of them counts',
    }),
  },
  { additionalProperties: false, default: {}, examples: [{ length: 1024 }], description: 'The query of a request' },
)

/** `request` of a route: what a request may be like. */
export const requestSchema = Type.Object(
  {
    methods: Type.Optional(
      Type.Array(Type.String({ pattern: '^[A-Z]+$', expects: "a method such as 'GET'", description: 'A method' }), {
        minItems: 1,
        maxItems: 32,
        description: 'Methods that are taken; others get 405',
      }),
    ),
    bodySize: Type.Optional(
      Size({
        description: 'Largest body, at most limits.bodySize; of a compressed one, as it comes and as it becomes',
      }),
    ),
    contentTypes: Type.Optional(
      Type.Array(
        Type.String({
          pattern: '^[A-Za-z0-9!#$&^_.+-]+/([A-Za-z0-9!#$&^_.+-]+|\\*)$',
          expects: "'application/json' or 'image/*'",
          description: 'A media type',
        }),
        { minItems: 1, maxItems: 64, description: 'Media types that bodies may have; others, and none, get 415' },
      ),
    ),
    headers: headersSchema,
    query: querySchema,
  },
  {
    additionalProperties: false,
    examples: [{ bodySize: '64KiB', contentTypes: ['application/json'] }],
    description: 'What a request may be like; what is not is refused, and told the limit',
  },
)

export type RequestInput = Static<typeof requestSchema>

export interface RequestLimits {
  /** `null`: those of the route's key. */
  methods: readonly string[] | null
  /** `null`: `limits.bodySize`. */
  bodyBytes: number | null
  /** In lower case, `image/*` for a whole type; `null`: any. */
  contentTypes: readonly string[] | null
  headers: { count: number; bytes: number; required: readonly string[] }
  query: { length: number; parameters: number; duplicates: 'allow' | 'refuse' }
}

export function resolveRequest(input: RequestInput | undefined): RequestLimits | null {
  if (input === undefined) return null
  const { methods = null, bodySize, contentTypes, headers, query } = input
  return {
    methods,
    bodyBytes: bodySize === undefined ? null : bytes(bodySize),
    contentTypes: contentTypes?.map((type) => type.toLowerCase()) ?? null,
    headers: {
      count: headers.count ?? Number.POSITIVE_INFINITY,
      bytes: headers.size === undefined ? Number.POSITIVE_INFINITY : bytes(headers.size),
      required: headers.required.map((name) => name.toLowerCase()),
    },
    query: {
      length: query.length ?? Number.POSITIVE_INFINITY,
      parameters: query.parameters ?? Number.POSITIVE_INFINITY,
      duplicates: query.duplicates,
    },
  }
}
