import type { Static } from 'typebox'
import { Duration, milliseconds } from '../options/schema.ts'
import { TOKEN } from '../options/token.ts'
import { Type } from '../options/type.ts'

const originSchema = Type.String({
  pattern: '^(\\*|null|[a-z][a-z0-9+.-]*://[^/\\s]+)$',
  expects: "an origin such as 'https://app.example.com'",
  description: "An origin; 'https://*.example.com': each below a name; '*': any",
})

/** `cors` of a route; names and meaning as in @fastify/cors. */
export const corsSchema = Type.Object(
  {
    origin: Type.Union([originSchema, Type.Array(originSchema, { minItems: 1, maxItems: 1000 }), Type.Boolean()], {
      default: '*',
      description:
        "Origins whose pages may read answers: one or several, '*' or true for any (true names the page's own), false for none",
    }),
    methods: Type.Array(
      Type.String({ pattern: `^${TOKEN}$`, expects: "a method such as 'PUT'", description: 'A method' }),
      {
        default: ['GET', 'HEAD', 'POST'],
        maxItems: 32,
        description: 'Methods that pages may use',
      },
    ),
    allowedHeaders: Type.Optional(
      Type.Array(
        Type.String({ pattern: `^${TOKEN}$`, expects: "a name such as 'x-tenant'", description: 'Name of a field' }),
        {
          maxItems: 100,
          description: 'Fields that pages may send; without it, those that they ask for',
        },
      ),
    ),
    exposedHeaders: Type.Array(
      Type.String({ pattern: `^${TOKEN}$`, expects: "a name such as 'etag'", description: 'Name of a field' }),
      { default: [], maxItems: 100, description: 'Fields of answers that pages may read' },
    ),
    credentials: Type.Boolean({ default: false, description: 'Pages may send cookies and other credentials' }),
    maxAge: Type.Optional(Duration({ description: 'How long browsers may keep the answer to a preflight' })),
    strictPreflight: Type.Boolean({
      default: false,
      description: 'Answer every OPTIONS here: 400 where it is no preflight; false: other OPTIONS go to the upstream',
    }),
    optionsSuccessStatus: Type.Integer({
      default: 204,
      minimum: 200,
      maximum: 299,
      description: 'Status of the answer to a preflight',
    }),
  },
  {
    additionalProperties: false,
    examples: [{ origin: ['https://app.example.com'] }],
    description: 'What pages of other origins may do with this route',
  },
)

export type CorsInput = Static<typeof corsSchema>

export interface CorsOptions {
  /** `true`: any, by its own name. */
  origin: '*' | true | readonly string[]
  methods: readonly string[]
  /** `null`: those that are asked for. */
  allowedHeaders: readonly string[] | null
  exposedHeaders: readonly string[]
  credentials: boolean
  /** Whole seconds; `null`: browsers decide. */
  maxAgeS: number | null
  strictPreflight: boolean
  optionsSuccessStatus: number
}

/** The settled value of a route's `cors`, in which `true` stands for an empty object. */
export function resolveCors(input: CorsInput | boolean): CorsOptions | null {
  if (input === false) return null
  const { origin, methods, exposedHeaders, credentials } = input === true ? DEFAULTS : input
  const { allowedHeaders, maxAge, strictPreflight, optionsSuccessStatus } = input === true ? DEFAULTS : input
  return {
    origin: originOf(origin),
    methods,
    allowedHeaders: allowedHeaders ?? null,
    exposedHeaders,
    credentials,
    maxAgeS: maxAge === undefined ? null : Math.floor(milliseconds(maxAge) / 1000),
    strictPreflight,
    optionsSuccessStatus,
  }
}

const DEFAULTS: CorsInput = {
  origin: '*',
  methods: ['GET', 'HEAD', 'POST'],
  exposedHeaders: [],
  credentials: false,
  strictPreflight: false,
  optionsSuccessStatus: 204,
}

function originOf(origin: CorsInput['origin']): CorsOptions['origin'] {
  if (origin === true) return true
  if (origin === false) return []
  const list = Array.isArray(origin) ? origin : [origin]
  return list.includes('*') ? '*' : list
}
