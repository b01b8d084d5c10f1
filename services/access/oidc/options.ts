import type { Static } from 'typebox'
import { Duration, milliseconds, Secret } from '../../options/schema.ts'
import type { ClaimNames } from '../claims.ts'
import { claimNamesSchema, isOpen, openWay, resolveClaimNames } from '../jwt/options.ts'
import { Type } from '../../options/type.ts'

const Path = (options: { default: string; description: string }) =>
  Type.String({ ...options, pattern: '^/[A-Za-z0-9._~/-]{1,200}$', expects: "a path such as '/oauth/callback'" })

/** Shorter than this, it could be guessed. */
const SECRET_LENGTH = 32

/** One of `access.oidc`: a login by an identity provider. */
export const oidcSchema = Type.Object(
  {
    issuer: Type.String({
      pattern: '^https?://',
      expects: 'an http or https URL',
      description: 'The identity provider; what it can do is read from /.well-known/openid-configuration below it',
    }),
    clientId: Type.String({ pattern: '^.+$', expects: 'a text', description: 'What the gateway is called there' }),
    clientSecret: Type.Optional(
      Secret({ description: 'Its password there; without it, a public client, which PKCE guards' }),
    ),
    scopes: Type.Array(Type.String({ pattern: '^[!#-\\[\\]-~]+$', expects: 'a word' }), {
      default: ['openid', 'profile', 'email'],
      description: "What is asked for; with 'offline_access', many give a refresh token",
    }),
    parameters: Type.Record(Type.String(), Type.String(), {
      default: {},
      examples: [{ prompt: 'consent' }],
      description: 'What else the login is asked for with',
    }),
    origin: Type.Optional(
      Type.String({
        pattern: '^https?://[^/?#]+$',
        expects: "an origin such as 'https://app.example.com'",
        description: 'Where browsers find the gateway; without it, what the request says',
      }),
    ),
    login: Path({ default: '/oauth/login', description: 'Begins a login; ?to=/path is where it leads' }),
    callback: Path({ default: '/oauth/callback', description: 'Where the provider sends browsers back to' }),
    logout: Path({ default: '/oauth/logout', description: 'Ends the session, here and at the provider' }),
    afterLogout: Type.String({
      default: '/',
      pattern: '^/(?![/\\\\])[!-\\[\\]-~]{0,200}$',
      expects: "a path such as '/goodbye'",
      description: 'Where a logout leads',
    }),
    cookie: Type.String({
      default: '__Host-headrace',
      pattern: '^[A-Za-z0-9_-]{1,64}$',
      expects: "letters, digits, '_' and '-'",
      description: 'Name of the session cookie',
    }),
    cookieSecrets: Type.Array(Secret({ description: `A random text of ${SECRET_LENGTH} characters and more` }), {
      default: [],
      maxItems: 2,
      description:
        'What cookies are encrypted with: the one in force, and the one before it, which is still read; without any, one is made in dataDir. Machines that share sessions need the same',
    }),
    lifetime: Duration({ default: '12h', description: 'How long a session lasts at most' }),
    sendToken: Type.Boolean({
      default: false,
      description: 'Send the access token upstream, as Authorization: Bearer',
    }),
    claims: claimNamesSchema,
    timeout: Duration({ default: '5s', description: 'For each request to the provider' }),
    insecure: Type.Boolean({ default: false, description: 'Take a provider over http that is on another machine' }),
    cache: Type.Integer({
      default: 10_000,
      minimum: 0,
      maximum: 1_000_000,
      description: 'Sessions that are remembered, so that their cookies are not decrypted each time',
    }),
  },
  {
    additionalProperties: false,
    examples: [{ issuer: 'https://id.example.com', clientId: 'gateway' }],
    description: 'A login for browsers (OpenID Connect)',
  },
)

export type OidcInput = Static<typeof oidcSchema>

export interface OidcOptions {
  /** In `access.oidc`. */
  name: string
  issuer: string
  clientId: string
  clientSecret: string | null
  scopes: readonly string[]
  parameters: Readonly<Record<string, string>>
  /** `null`: as the request says. */
  origin: string | null
  login: string
  callback: string
  logout: string
  afterLogout: string
  cookie: string
  /** Empty: the one in `dataDir`. */
  cookieSecrets: readonly string[]
  dataDir: string
  lifetimeMs: number
  sendToken: boolean
  claims: ClaimNames
  timeoutMs: number
  cache: number
}

/** @param dataDir absolute */
export function resolveOidc(name: string, input: OidcInput, dataDir: string): OidcOptions {
  const { clientSecret = null, origin = null, lifetime, timeout, claims, insecure: _, ...rest } = input
  return {
    ...rest,
    name,
    dataDir,
    clientSecret,
    origin,
    lifetimeMs: milliseconds(lifetime),
    timeoutMs: milliseconds(timeout),
    claims: resolveClaimNames(claims),
  }
}

/** What is wrong with it; `undefined` where it can be used. */
export function faultOfOidc({ issuer, insecure, origin, cookieSecrets }: OidcInput): string | undefined {
  const open = insecure ? undefined : openWay(issuer)
  if (open !== undefined) return open
  if (origin !== undefined && URL.canParse(origin) && !keepsSecureCookies(origin)) {
    return `browsers keep no cookie of a login at '${origin}': write https`
  }
  return cookieSecrets.some((secret) => secret.length < SECRET_LENGTH)
    ? `a secret has ${SECRET_LENGTH} random characters and more: openssl rand -base64 32`
    : undefined
}

/**
 * Whether browsers keep `Secure` cookies of an origin: they know any name within `localhost` for this machine (RFC 6761 §6.3),
 * where others may ask a name server.
 */
export function keepsSecureCookies(origin: string): boolean {
  return URL.canParse(origin) && (!isOpen(origin) || new URL(origin).hostname.endsWith('.localhost'))
}
