import type { Static } from 'typebox'
import { Type } from '../../options/type.ts'

/** `'key'`, `'anonymous'`, or one of several by its name: `'jwt:main'`. */
export const WAY = '^(key|basic|hmac|mtls|anonymous|(jwt|oidc|forward):[A-Za-z0-9][A-Za-z0-9_.-]{0,63})$'

const Word = Type.String({ pattern: '^[!-~]{1,128}$', expects: 'a word of printable ASCII without blanks' })
const Words = (description: string) => Type.Array(Word, { default: [], maxItems: 256, description })

const Block = Type.String({
  pattern: '^(?:loopback|private|[0-9A-Fa-f.:]+(?:/[0-9]{1,3})?)$',
  expects: "an address, a block such as '10.0.0.0/8', 'loopback' or 'private'",
  description: 'An address or a block of them',
})

const Ways = Type.Array(
  Type.String({
    pattern: WAY,
    expects: "'key', 'basic', 'hmac', 'mtls', 'jwt:NAME', 'oidc:NAME', 'forward:NAME' or 'anonymous'",
  }),
  {
    default: [],
    maxItems: 16,
    description:
      "Ways to show who one is, asked in this order: 'key', 'basic', 'hmac', 'mtls', 'jwt:NAME', 'oidc:NAME', 'forward:NAME'; 'anonymous' lets through who shows nothing",
  },
)

const permissionSchema = Type.Object(
  {
    methods: Type.Array(Type.String({ pattern: '^[A-Z-]+$', expects: "a method in upper case, such as 'GET'" }), {
      default: [],
      description: 'Of these methods; none: of all',
    }),
    consumers: Words('For these consumers; none: whoever it is'),
    groups: Words('For who is in one of these groups; none: whoever it is'),
    scopes: Words('For who has all of these scopes; none: whatever they are'),
  },
  {
    additionalProperties: false,
    examples: [{ methods: ['GET'] }],
    description: 'Some requests: those for which all that is said here is so',
  },
)

const Claim = Type.Union([Type.String(), Type.Array(Type.String(), { minItems: 1 })], {
  description: 'The value, or several of which it is one; of a claim that is a list, one item has to be',
})

/** `access` on a route, where it is more than a list of ways. */
export const routeAccessSchema = Type.Object(
  {
    by: Ways,
    scopes: Words('The caller has all of these'),
    groups: Words('The caller is in one of these'),
    claims: Type.Record(Type.String(), Claim, {
      default: {},
      examples: [{ plan: 'pro' }],
      description:
        "What tokens say of the caller, by the name of the claim, or by the way into one that is an object: 'realm_access.roles'",
    }),
    allow: Type.Array(permissionSchema, {
      default: [],
      maxItems: 256,
      description: 'Only these requests pass, where there are any here',
    }),
    deny: Type.Array(permissionSchema, {
      default: [],
      maxItems: 256,
      description: 'These do not pass, whatever allows it',
    }),
    addresses: Type.Object(
      {
        allow: Type.Array(Block, { default: [], maxItems: 4096, description: 'Only from these, where there are any' }),
        deny: Type.Array(Block, { default: [], maxItems: 4096, description: 'Not from these, whatever allows it' }),
      },
      {
        additionalProperties: false,
        default: {},
        description:
          "Which addresses may call, before anything else is looked at: addresses, CIDR blocks, 'loopback', 'private'; behind a proxy, what `forwarded.trust` makes of it",
      },
    ),
    public: Type.Boolean({
      default: false,
      description:
        'What is cached for one caller may answer another: answers are the same for all who may call. Without it every caller has entries of their own',
    }),
  },
  { additionalProperties: false, examples: [{ by: ['key'] }], description: 'Who may call' },
)

/** `access` on a route. */
export const accessOfRouteSchema = Type.Union([routeAccessSchema, Ways], {
  description: "Who may call (docs/access.md): a list of ways, such as ['key'], or more",
})

export type RouteAccessInput = Static<typeof routeAccessSchema>

export interface PermissionOptions {
  methods: string[]
  consumers: string[]
  groups: string[]
  scopes: string[]
}

export interface RouteAccessOptions {
  /** Without `anonymous`. */
  by: string[]
  anonymous: boolean
  scopes: string[]
  groups: string[]
  /** The values of which one has to be there. */
  claims: { name: string; values: string[] }[]
  allow: PermissionOptions[]
  deny: PermissionOptions[]
  addresses: { allow: string[]; deny: string[] }
  public: boolean
}

const PLAIN: Omit<RouteAccessInput, 'by'> = {
  scopes: [],
  groups: [],
  claims: {},
  allow: [],
  deny: [],
  addresses: { allow: [], deny: [] },
  public: false,
}

/** A list of ways is short for `{ by }`. */
export function resolveRouteAccess(given: Static<typeof accessOfRouteSchema> | undefined): RouteAccessOptions | null {
  if (given === undefined) return null
  const { by, claims, ...input } = Array.isArray(given) ? { ...PLAIN, by: given } : given
  return {
    ...input,
    by: by.filter((way) => way !== 'anonymous'),
    anonymous: by.includes('anonymous'),
    claims: Object.entries(claims).map(([name, value]) => ({ name, values: [value].flat() })),
  }
}

/** What a guard asks for, and nobody can or need show. */
export interface Contradiction {
  /** Where; `null`: all of it. */
  part: 'scopes' | 'groups' | 'claims' | 'allow' | 'deny' | null
  fault: string
}

/** @returns why a guard cannot be meant as it stands: one that asks nobody who they are lets all pass, whatever else it wants */
export function contradictionIn(access: RouteAccessOptions): Contradiction | undefined {
  const { by, anonymous, addresses } = access
  const wanted = (['scopes', 'groups', 'claims'] as const).find((part) => access[part].length > 0)
  if (by.length > 0) {
    if (!anonymous || wanted === undefined) return undefined
    return { part: wanted, fault: `nobody has ${wanted}: leave out 'anonymous', or say it in 'allow'` }
  }
  if (anonymous) return undefined
  const idle = wanted ?? (['allow', 'deny'] as const).find((part) => access[part].length > 0)
  if (idle !== undefined) return { part: idle, fault: `nobody is asked who they are: say how in 'by', such as ['key']` }
  if (addresses.allow.length + addresses.deny.length > 0) return undefined
  return { part: null, fault: "it asks for nothing: name the ways in 'by', or leave it out" }
}
