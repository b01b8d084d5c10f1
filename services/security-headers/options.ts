import type { Static, TSchema } from 'typebox'
import { OneOf } from '../options/schema.ts'
import { Type } from '../options/type.ts'

/** A field that helmet sets by default: `false` leaves it out, `true` is its default, else how. */
const field = <T extends TSchema>(how: T, description: string) =>
  Type.Optional(Type.Union([how, Type.Boolean()], { description }))

const policyOf = <const T extends readonly [string, ...string[]]>(values: T, what: string) =>
  Type.Object(
    { policy: OneOf(values, { default: values[0], description: what }) },
    { additionalProperties: false, examples: [{ policy: values[0] }], description: what },
  )

const REFERRER_POLICIES = [
  'no-referrer',
  'no-referrer-when-downgrade',
  'same-origin',
  'origin',
  'strict-origin',
  'origin-when-cross-origin',
  'strict-origin-when-cross-origin',
  'unsafe-url',
] as const

const contentSecurityPolicySchema = Type.Object(
  {
    useDefaults: Type.Boolean({ default: true, description: "Start from helmet's default directives" }),
    directives: Type.Record(
      Type.String(),
      Type.Union([Type.Array(Type.String()), Type.Null()], { description: 'Its sources; null: leave it out' }),
      {
        default: {},
        examples: [{ scriptSrc: ["'self'"] }],
        description: 'Directives, by their names (scriptSrc or script-src)',
      },
    ),
    reportOnly: Type.Boolean({ default: false, description: 'Only report what would be blocked' }),
  },
  {
    additionalProperties: false,
    examples: [{ directives: { 'script-src': ["'self'"] } }],
    description: 'Content-Security-Policy',
  },
)

const transportSchema = Type.Object(
  {
    maxAge: Type.Integer({ default: 31_536_000, minimum: 0, description: 'Seconds for which only HTTPS is used' }),
    includeSubDomains: Type.Boolean({ default: true, description: 'Names below the host too' }),
    preload: Type.Boolean({ default: false, description: 'May be built into browsers' }),
  },
  { additionalProperties: false, examples: [{ maxAge: 600 }], description: 'Strict-Transport-Security' },
)

/** `securityHeaders` of a route; names, meaning and defaults as in @fastify/helmet. */
export const securityHeadersSchema = Type.Object(
  {
    contentSecurityPolicy: field(contentSecurityPolicySchema, 'Content-Security-Policy'),
    crossOriginEmbedderPolicy: field(
      policyOf(['require-corp', 'credentialless', 'unsafe-none'], 'The policy'),
      'Cross-Origin-Embedder-Policy; left out by default',
    ),
    crossOriginOpenerPolicy: field(
      policyOf(['same-origin', 'same-origin-allow-popups', 'noopener-allow-popups', 'unsafe-none'], 'The policy'),
      'Cross-Origin-Opener-Policy',
    ),
    crossOriginResourcePolicy: field(
      policyOf(['same-origin', 'same-site', 'cross-origin'], 'The policy'),
      'Cross-Origin-Resource-Policy',
    ),
    originAgentCluster: Type.Optional(Type.Boolean({ description: 'Origin-Agent-Cluster' })),
    referrerPolicy: field(
      Type.Object(
        {
          policy: Type.Union(
            [
              OneOf(REFERRER_POLICIES, { description: 'The policy' }),
              Type.Array(OneOf(REFERRER_POLICIES, { description: 'A policy' }), { minItems: 1 }),
            ],
            { default: 'no-referrer', description: 'The policy; of several, browsers take the last they know' },
          ),
        },
        { additionalProperties: false, examples: [{ policy: 'same-origin' }], description: 'The policy' },
      ),
      'Referrer-Policy',
    ),
    strictTransportSecurity: field(transportSchema, 'Strict-Transport-Security'),
    xContentTypeOptions: Type.Optional(Type.Boolean({ description: 'X-Content-Type-Options: nosniff' })),
    xDnsPrefetchControl: field(
      Type.Object(
        { allow: Type.Boolean({ default: false, description: 'On' }) },
        { additionalProperties: false, examples: [{ allow: true }], description: 'Whether names are looked up ahead' },
      ),
      'X-DNS-Prefetch-Control',
    ),
    xDownloadOptions: Type.Optional(Type.Boolean({ description: 'X-Download-Options: noopen' })),
    xFrameOptions: field(
      Type.Object(
        { action: OneOf(['sameorigin', 'deny'], { default: 'sameorigin', description: 'Who may show it in a frame' }) },
        { additionalProperties: false, examples: [{ action: 'deny' }], description: 'Who may show it in a frame' },
      ),
      'X-Frame-Options',
    ),
    xPermittedCrossDomainPolicies: field(
      Type.Object(
        {
          permittedPolicies: OneOf(['none', 'master-only', 'by-content-type', 'all'], {
            default: 'none',
            description: 'The policies',
          }),
        },
        { additionalProperties: false, examples: [{ permittedPolicies: 'none' }], description: 'The policies' },
      ),
      'X-Permitted-Cross-Domain-Policies',
    ),
    xPoweredBy: Type.Optional(Type.Boolean({ description: 'false keeps the X-Powered-By of an upstream' })),
    xXssProtection: Type.Optional(Type.Boolean({ description: 'X-XSS-Protection: 0' })),
  },
  {
    additionalProperties: false,
    examples: [{ xFrameOptions: { action: 'deny' } }],
    description: 'Fields that tell browsers what to forbid; each is as in helmet unless it is said otherwise',
  },
)

export type SecurityHeadersInput = Static<typeof securityHeadersSchema>
/** As helmet takes it. */
export type SecurityHeadersOptions = SecurityHeadersInput

export function resolveSecurityHeaders(input: SecurityHeadersInput | boolean): SecurityHeadersOptions | null {
  if (input === false) return null
  return input === true ? {} : input
}
