import type { Static } from 'typebox'
import { bytes, Duration, milliseconds, Rate, Size } from '../options/schema.ts'
import { type ForwardOptions, forwardSchema, resolveForward } from './forward/options.ts'
import { faultOfKeys, type JwtOptions, jwtSchema, resolveJwt } from './jwt/options.ts'
import { faultOfOidc, type OidcOptions, oidcSchema, resolveOidc } from './oidc/options.ts'
import { type ConsumerOptions, consumersSchema, resolveConsumers } from './consumers/options.ts'
import { Type } from '../options/type.ts'
import { parseRate } from '../options/units.ts'
import type { FailureRate } from './failed-credentials.ts'

const FIELD = {
  pattern: '^[A-Za-z][A-Za-z0-9-]{0,63}$',
  expects: 'the name of a header field: letters, digits and hyphens',
}

const NAME = '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$'

/** `access` at the top of the configuration: who there is, and how they show it. Routes say who may call. */
export const accessSchema = Type.Object(
  {
    realm: Type.String({
      default: 'headrace',
      pattern: '^[ !#-\\[\\]-~]{1,64}$',
      expects: 'printable ASCII without quotes',
      description: 'What WWW-Authenticate calls what is guarded',
    }),
    consumers: consumersSchema,
    consumersFile: Type.Optional(
      Type.String({
        description:
          'A YAML or JSON file with further consumers, in the same form; changes take effect by themselves within a second, and one that cannot be used leaves things as they are',
      }),
    ),
    failureLimit: Type.Union(
      [Rate({ description: 'How often keys, passwords and signatures of one address may fail' }), Type.Literal(false)],
      {
        default: '120/min',
        description:
          'How often keys, passwords and signatures of one address may fail, in each process; what fails then is answered 429, and passwords are not looked at. Those that hold are not counted. false: as often as they like',
      },
    ),
    keys: Type.Object(
      {
        header: Type.String({ ...FIELD, default: 'x-api-key', description: 'The field that API keys come in' }),
        query: Type.Optional(
          Type.String({
            pattern: '^[A-Za-z0-9_.-]{1,64}$',
            expects: 'the name of a query parameter',
            description:
              'A query parameter that keys are taken from too, and which goes no further; without it keys in URLs are refused',
          }),
        ),
        keep: Type.Boolean({ default: false, description: 'Send keys on to upstreams' }),
      },
      { additionalProperties: false, default: {}, description: 'API keys' },
    ),
    basic: Type.Object(
      {
        concurrency: Type.Integer({
          default: 2,
          minimum: 1,
          maximum: 64,
          description: 'Passwords that are checked at a time; each takes some 200 ms of a thread, and 16 MiB',
        }),
        queue: Type.Integer({
          default: 64,
          minimum: 0,
          maximum: 10_000,
          description: 'Passwords that wait for that; more are answered 503',
        }),
        keep: Type.Boolean({ default: false, description: 'Send user names and passwords on to upstreams' }),
      },
      { additionalProperties: false, default: {}, description: 'User name and password (RFC 7617)' },
    ),
    hmac: Type.Object(
      {
        window: Duration({ default: '5m', description: 'How far the time of a signature may be from now, both ways' }),
        maxBody: Size({
          default: '1MiB',
          description: 'Bodies are read whole to check their digest; larger ones are refused',
        }),
        remember: Type.Integer({
          default: 100_000,
          minimum: 100,
          description:
            'Signatures a process remembers, so that none is taken twice; while it is full, signed requests are answered 503',
        }),
        shared: Type.Boolean({
          default: true,
          description:
            'Accept each signature once in all processes, and with Redis on all machines: each signed request asks for it, and waits 50 ms at most. false: once in each process',
        }),
        keep: Type.Boolean({ default: false, description: 'Send signatures on to upstreams' }),
      },
      { additionalProperties: false, default: {}, description: 'Signed requests (RFC 9421, hmac-sha256)' },
    ),
    jwt: Type.Record(Type.String({ pattern: NAME }), jwtSchema, {
      default: {},
      additionalProperties: false,
      description: "Who signs tokens, by the name that routes have in 'jwt:NAME' (docs/tokens.md)",
    }),
    oidc: Type.Record(Type.String({ pattern: NAME }), oidcSchema, {
      default: {},
      additionalProperties: false,
      description: "Where browsers log in, by the name that routes have in 'oidc:NAME' (docs/tokens.md)",
    }),
    forward: Type.Record(Type.String({ pattern: NAME }), forwardSchema, {
      default: {},
      additionalProperties: false,
      description: "Services that say who may call, by the name that routes have in 'forward:NAME' (docs/tokens.md)",
    }),
    identity: Type.Object(
      {
        caller: Type.String({ ...FIELD, default: 'x-consumer-id', description: 'Who calls' }),
        groups: Type.String({
          ...FIELD,
          default: 'x-consumer-groups',
          description: 'Their groups, separated by commas',
        }),
        scopes: Type.String({
          ...FIELD,
          default: 'x-consumer-scopes',
          description: 'Their scopes, separated by blanks',
        }),
      },
      {
        additionalProperties: false,
        default: {},
        description: 'Fields that tell upstreams who calls; whatever clients send in them is dropped, on every route',
      },
    ),
    audit: Type.Object(
      {
        enabled: Type.Boolean({ default: true, description: 'Log a line for each request that a gate turns away' }),
        perSecond: Type.Integer({
          default: 50,
          minimum: 1,
          maximum: 100_000,
          description: 'Lines a second and process; how many more there were is said afterwards',
        }),
      },
      { additionalProperties: false, default: {}, description: 'What is logged of requests that are turned away' },
    ),
  },
  {
    additionalProperties: false,
    default: {},
    examples: [{ consumersFile: './consumers.yaml' }],
    description: 'Who there is, and how they show it (docs/access.md)',
  },
)

export type AccessInput = Static<typeof accessSchema>

export interface KeySchemeOptions {
  /** In lower case. */
  header: string
  query: string | null
  keep: boolean
}

export interface HmacOptions {
  windowMs: number
  maxBodyBytes: number
  remember: number
  /** With all processes and machines that can be asked. */
  shared: boolean
  keep: boolean
}

export interface IdentityFieldNames {
  caller: string
  groups: string
  scopes: string
}

export interface AccessOptions {
  realm: string
  consumers: ConsumerOptions[]
  /** Absolute; `null` without one. */
  consumersFile: string | null
  /** `null`: not limited. */
  failureLimit: FailureRate | null
  keys: KeySchemeOptions
  basic: AccessInput['basic']
  hmac: HmacOptions
  /** Absolute. */
  dataDir: string
  jwt: JwtOptions[]
  oidc: OidcOptions[]
  forward: ForwardOptions[]
  identity: IdentityFieldNames
  audit: AccessInput['audit']
}

/** @returns `undefined` for one that can be meant */
export function faultOfFailureLimit({ failureLimit }: Pick<AccessInput, 'failureLimit'>): string | undefined {
  const none = failureLimit !== false && parseRate(failureLimit)?.count === 0
  return none ? 'one mistake would shut an address out for good: give it 1 at least' : undefined
}

/** What is wrong with those who are asked outside of the configuration, and where: issuers of keys, logins, services. */
export function faultsOfProviders({
  jwt,
  oidc,
  forward,
}: Pick<AccessInput, 'jwt' | 'oidc' | 'forward'>): { path: string[]; fault: string }[] {
  const faults: { path: string[]; fault: string }[] = []
  const say = (path: string[], fault: string | undefined): void => {
    if (fault !== undefined) faults.push({ path, fault })
  }
  for (const [name, { jwks }] of Object.entries(jwt)) say(['jwt', name, 'jwks'], faultOfKeys(jwks))
  for (const [name, { url }] of Object.entries(forward)) {
    if (!URL.canParse(url)) say(['forward', name, 'url'], `'${url}' is no URL`)
  }
  const taken = new Map<string, string>()
  for (const [name, options] of Object.entries(oidc)) {
    say(['oidc', name], faultOfOidc(options))
    // No two logins have the same pages or cookie.
    for (const member of ['login', 'callback', 'logout', 'cookie'] as const) {
      const value = options[member]
      const other = taken.get(value)
      if (other !== undefined) say(['oidc', name, member], `'${value}' is taken by ${other} already`)
      taken.set(value, `access.oidc.${name}.${member}`)
    }
  }
  return faults
}

/** @param toPath turns a path of the configuration into an absolute one */
export function resolveAccess(
  input: AccessInput,
  { toPath, dataDir }: { toPath: (path: string) => string; dataDir: string },
): AccessOptions {
  const { caller, groups, scopes } = input.identity
  return {
    realm: input.realm,
    consumers: resolveConsumers(input.consumers, toPath),
    consumersFile: input.consumersFile === undefined ? null : toPath(input.consumersFile),
    failureLimit: input.failureLimit === false ? null : (parseRate(input.failureLimit) ?? null),
    keys: { ...input.keys, header: input.keys.header.toLowerCase(), query: input.keys.query ?? null },
    basic: input.basic,
    hmac: {
      windowMs: milliseconds(input.hmac.window),
      maxBodyBytes: bytes(input.hmac.maxBody),
      remember: input.hmac.remember,
      shared: input.hmac.shared,
      keep: input.hmac.keep,
    },
    dataDir: toPath(dataDir),
    jwt: Object.entries(input.jwt).map(([name, jwt]) => resolveJwt(name, jwt, toPath)),
    oidc: Object.entries(input.oidc).map(([name, oidc]) => resolveOidc(name, oidc, toPath(dataDir))),
    forward: Object.entries(input.forward).map(([name, forward]) => resolveForward(name, forward)),
    identity: { caller: caller.toLowerCase(), groups: groups.toLowerCase(), scopes: scopes.toLowerCase() },
    audit: input.audit,
  }
}
