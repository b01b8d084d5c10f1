import type { Static } from 'typebox'
import { bytes, Duration, milliseconds, OneOf, Size } from '../../options/schema.ts'
import type { ClaimNames } from '../claims.ts'
import { Type } from '../../options/type.ts'

/** All that sign with a private key (RFC 7518, RFC 8037, RFC 9864). `none` and HMAC are not among them. */
export const JWT_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const
export type JwtAlgorithm = (typeof JWT_ALGORITHMS)[number]

const OneOrMore = (what: string) =>
  Type.Union(
    [
      Type.String({ pattern: '^.+$', expects: 'a text' }),
      Type.Array(Type.String({ pattern: '^.+$', expects: 'a text' }), { minItems: 1, maxItems: 100 }),
    ],
    {
      description: what,
    },
  )

export const claimNamesSchema = Type.Object(
  {
    consumer: Type.Optional(
      Type.String({
        pattern: '^.+$',
        expects: 'a text',
        description: 'Its value has to be the name of a consumer; without it, callers are known by issuer and subject',
      }),
    ),
    groups: Type.Optional(
      Type.String({
        pattern: '^.+$',
        expects: 'a text',
        description: "A list, or names with commas: 'groups', 'realm_access.roles'",
      }),
    ),
    tier: Type.Optional(
      Type.String({ pattern: '^.+$', expects: 'a text', description: "Name of a tier; goes before the consumer's" }),
    ),
    scopes: Type.Array(Type.String({ pattern: '^.+$', expects: 'a text' }), {
      default: ['scope', 'scp'],
      description: 'A list, or names with spaces; the first that is there counts',
    }),
  },
  {
    additionalProperties: false,
    default: {},
    description: "What claims say of a caller; 'a.b' is the way into an object",
  },
)

export function resolveClaimNames(input: Static<typeof claimNamesSchema>): ClaimNames {
  const { consumer = null, groups = null, tier = null, scopes } = input
  return { consumer, groups, tier, scopes }
}

/** One of `access.jwt`: who signs the tokens, and what they have to say. */
export const jwtSchema = Type.Object(
  {
    issuer: OneOrMore('`iss` of its tokens; several where it has changed its name'),
    audience: Type.Union(
      [
        Type.String({ pattern: '^.+$', expects: 'a text' }),
        Type.Array(Type.String({ pattern: '^.+$', expects: 'a text' }), { minItems: 1 }),
        Type.Literal(false),
      ],
      {
        description:
          '`aud` has to name this, or one of these; false: tokens that were made for other services are taken as well',
      },
    ),
    jwks: Type.Object(
      {
        url: Type.Optional(
          Type.String({
            pattern: '^https?://',
            expects: 'an http or https URL',
            description: 'Of its JSON Web Key Set (jwks_uri)',
          }),
        ),
        file: Type.Optional(Type.String({ description: 'A file with the key set; read again when it changes' })),
        keys: Type.Optional(
          Type.Array(Type.Record(Type.String(), Type.Union([Type.String(), Type.Array(Type.String())])), {
            minItems: 1,
            maxItems: 100,
            description: 'The public keys themselves, as JWK',
          }),
        ),
        maxAge: Duration({
          default: '10m',
          description:
            "Read the URL again after this; sooner, but not before 30 s, where its Cache-Control says so. '1s' notices a removed key within a second by itself",
        }),
        timeout: Duration({ default: '5s', description: 'For reading the URL' }),
        insecure: Type.Boolean({
          default: false,
          description: 'Take keys over http from another machine: whoever is in the way can make tokens then',
        }),
      },
      { additionalProperties: false, description: 'What its tokens are verified with: one of url, file and keys' },
    ),
    algorithms: Type.Array(OneOf(JWT_ALGORITHMS, { description: 'A signature algorithm' }), {
      default: ['RS256', 'PS256', 'ES256', 'EdDSA'],
      minItems: 1,
      description: 'That it may sign with; what a token says of itself chooses among these only',
    }),
    skew: Duration({ default: '10s', description: "How far its clock and this machine's may be apart" }),
    requiredClaims: Type.Array(Type.String({ pattern: '^.+$', expects: 'a text' }), {
      default: ['exp'],
      description: 'Claims without which a token is refused, besides iss and aud',
    }),
    maxTokenAge: Type.Optional(Duration({ description: 'Refuse tokens whose `iat` is older' })),
    typ: Type.Optional(
      Type.String({
        pattern: '^.+$',
        expects: 'a text',
        description: "What the header has to say of the type: 'at+jwt' (RFC 9068)",
      }),
    ),
    cookie: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9_.-]{1,128}$',
        expects: "letters, digits, '_', '-' and '.'",
        description: 'Take the token from this cookie, where Authorization has none',
      }),
    ),
    keep: Type.Boolean({ default: false, description: 'Send tokens on to upstreams' }),
    claims: claimNamesSchema,
    maxTokenSize: Size({ default: '8KiB', description: 'Longer tokens are refused unread' }),
    cache: Type.Integer({
      default: 10_000,
      minimum: 0,
      maximum: 1_000_000,
      description: 'Tokens that are remembered until they expire, by their SHA-256: these are not verified again',
    }),
  },
  {
    additionalProperties: false,
    description: 'Tokens of one issuer (JWT)',
    examples: [
      {
        issuer: 'https://id.example.com/',
        audience: 'orders-api',
        jwks: { url: 'https://id.example.com/.well-known/jwks.json' },
      },
    ],
  },
)

export type JwtInput = Static<typeof jwtSchema>

export type KeysOptions = { url: string; maxAgeMs: number; timeoutMs: number } | { file: string } | { inline: string }

export interface JwtOptions {
  /** In `access.jwt`. */
  name: string
  issuers: readonly string[]
  /** `null`: any. */
  audiences: readonly string[] | null
  keys: KeysOptions
  algorithms: readonly JwtAlgorithm[]
  skewS: number
  requiredClaims: readonly string[]
  maxTokenAgeS: number | null
  typ: string | null
  cookie: string | null
  keep: boolean
  claims: ClaimNames
  maxTokenBytes: number
  /** Verdicts that are remembered. */
  cache: number
}

/** @param toPath turns a path of the configuration into an absolute one */
export function resolveJwt(name: string, input: JwtInput, toPath: (path: string) => string): JwtOptions {
  const { issuer, audience } = input
  return {
    name,
    issuers: [issuer].flat(),
    audiences: audience === false ? null : [audience].flat(),
    keys: keysOf(input.jwks, toPath),
    algorithms: input.algorithms,
    skewS: milliseconds(input.skew) / 1000,
    requiredClaims: input.requiredClaims,
    maxTokenAgeS: input.maxTokenAge === undefined ? null : milliseconds(input.maxTokenAge) / 1000,
    typ: input.typ ?? null,
    cookie: input.cookie ?? null,
    keep: input.keep,
    claims: resolveClaimNames(input.claims),
    maxTokenBytes: bytes(input.maxTokenSize),
    cache: input.cache,
  }
}

function keysOf({ url, file, keys, maxAge, timeout }: JwtInput['jwks'], toPath: (path: string) => string): KeysOptions {
  if (url !== undefined) return { url, maxAgeMs: milliseconds(maxAge), timeoutMs: milliseconds(timeout) }
  if (file !== undefined) return { file: toPath(file) }
  return { inline: JSON.stringify({ keys: keys ?? [] }) }
}

/** What is wrong with `jwks`; `undefined` where it can be used. */
export function faultOfKeys({ url, file, keys, insecure }: JwtInput['jwks']): string | undefined {
  const given = [url, file, keys].filter((value) => value !== undefined)
  if (given.length !== 1) return 'say one of url, file and keys'
  return url === undefined || insecure ? undefined : openWay(url)
}

/** Why a URL is not to be trusted with what is decided by: it is open to whoever is in the way; `undefined` where it is not. */
export function openWay(url: string): string | undefined {
  if (!URL.canParse(url)) return `'${url}' is no URL`
  return isOpen(url)
    ? 'over http, whoever is in the way can answer in its place: write https, or insecure: true'
    : undefined
}

/** It is http, and not on this machine alone. */
export function isOpen(url: string): boolean {
  const { protocol, hostname } = new URL(url)
  const isLocal = /^(?:localhost|\[::1\]|127\.\d+\.\d+\.\d+)$/.test(hostname)
  return protocol === 'http:' && !isLocal
}
