import type { Static } from 'typebox'
import { Duration, milliseconds, OneOf } from '../../options/schema.ts'
import { Type } from '../../options/type.ts'

const Field = (description: string) =>
  Type.String({
    pattern: '^[A-Za-z][A-Za-z0-9-]{0,63}$',
    expects: 'the name of a header field: letters, digits and hyphens',
    description,
  })

/** What the service may be told of a request, besides credentials. */
export const FORWARD_PARTS = ['method', 'uri', 'host', 'address'] as const
export type ForwardPart = (typeof FORWARD_PARTS)[number]

/** One of `access.forward`: a service that decides. */
export const forwardSchema = Type.Object(
  {
    url: Type.String({
      pattern: '^https?://',
      expects: 'an http or https URL',
      description: 'Asked with GET for each request that is not decided yet',
    }),
    credentials: Type.Array(Field('A request field'), {
      default: ['authorization', 'cookie'],
      minItems: 1,
      maxItems: 32,
      description: 'Request fields that it gets',
    }),
    tell: Type.Array(OneOf(FORWARD_PARTS, { description: 'A part of the request' }), {
      default: [...FORWARD_PARTS],
      description:
        'What else it gets, as X-Forwarded-Method, -Uri, -Host with -Proto, and -For. A remembered answer counts for requests of which it was told the same: with fewer of these, for more',
    }),
    identity: Type.Object(
      {
        caller: Type.String({ default: 'x-auth-request-user', description: 'Who calls' }),
        consumer: Type.Optional(Field('Name of a consumer, which there has to be')),
        groups: Type.String({ default: 'x-auth-request-groups', description: 'Groups, with commas' }),
        scopes: Type.String({ default: 'x-auth-request-scopes', description: 'Scopes, with spaces' }),
        tier: Type.Optional(Field('Name of a tier')),
      },
      { additionalProperties: false, default: {}, description: 'Fields of its answer that say who calls' },
    ),
    copy: Type.Array(Field('A field of its answer'), {
      default: [],
      maxItems: 64,
      description:
        'Fields of its answer that go upstream, and are claims of the caller, by their names; what clients send in them is dropped, on every route',
    }),
    timeout: Duration({ default: '2s', description: 'For its whole answer' }),
    maxAge: Duration({
      default: '5m',
      description: 'Its yes is remembered as its Cache-Control says, at most so long; without max-age not at all',
    }),
    cache: Type.Integer({
      default: 10_000,
      minimum: 0,
      maximum: 1_000_000,
      description: 'Answers that are remembered',
    }),
    connections: Type.Integer({ default: 32, minimum: 1, maximum: 1_000, description: 'To it, in each process' }),
    onFailure: OneOf(['refuse', 'skip'], {
      default: 'refuse',
      description:
        "Where it is away, slow or answers with 5xx: 503, or the route's next way ('anonymous', say), which lets everybody through whom it would have refused",
    }),
  },
  {
    additionalProperties: false,
    examples: [{ url: 'http://127.0.0.1:4181/verify' }],
    description: 'A service that says who calls, and whether that may be (forward-auth)',
  },
)

export type ForwardInput = Static<typeof forwardSchema>

export interface ForwardOptions {
  /** In `access.forward`. */
  name: string
  url: string
  /** In lower case, like all names of fields here. */
  credentials: readonly string[]
  tell: readonly ForwardPart[]
  identity: { caller: string; consumer: string | null; groups: string; scopes: string; tier: string | null }
  copy: readonly string[]
  timeoutMs: number
  maxAgeMs: number
  cache: number
  connections: number
  onFailure: 'refuse' | 'skip'
}

export function resolveForward(name: string, input: ForwardInput): ForwardOptions {
  const { caller, consumer, groups, scopes, tier } = input.identity
  const lower = (field: string): string => field.toLowerCase()
  return {
    name,
    url: input.url,
    credentials: input.credentials.map(lower),
    tell: input.tell,
    identity: {
      caller: lower(caller),
      consumer: consumer === undefined ? null : lower(consumer),
      groups: lower(groups),
      scopes: lower(scopes),
      tier: tier === undefined ? null : lower(tier),
    },
    copy: input.copy.map(lower),
    timeoutMs: milliseconds(input.timeout),
    maxAgeMs: milliseconds(input.maxAge),
    cache: input.cache,
    connections: input.connections,
    onFailure: input.onFailure,
  }
}
