import type { Static } from 'typebox'
import { Duration, milliseconds, OneOf, Secret } from '../../options/schema.ts'
import { TOKEN } from '../../options/token.ts'
import { Type } from '../../options/type.ts'
import { asWritten, httpOrigin } from '../prior-knowledge.ts'
import { HASH_KEY_PATTERN } from './hash-key.ts'

/** `balance` of an upstream: who gets the next request. */
export const balanceSchema = Type.Union(
  [
    OneOf(['least-requests', 'round-robin'], {
      description: 'The less busy of two drawn at random, or by turns; both by weight',
    }),
    Type.Object(
      {
        hash: Type.String({
          pattern: HASH_KEY_PATTERN,
          expects: "'header:x-tenant', 'cookie:sid', 'path', 'client' or 'consumer'",
          description:
            "What requests have in common that go to one target: 'header:x-tenant', 'cookie:sid', 'path', 'client' (its address) or 'consumer' (whoever has shown who they are, by the route's access; others by their address); requests without it go to the less busy of two",
        }),
        maxLoad: Type.Optional(
          Type.Number({
            minimum: 1,
            maximum: 100,
            description:
              "1.25: what would give a target a quarter more in flight than its share goes to the key's next one; without, a key never moves while its target can be had",
          }),
        ),
      },
      { additionalProperties: false, description: 'Consistent hashing: by what requests have in common' },
    ),
  ],
  {
    default: 'least-requests',
    description:
      "Which target gets the next request: the less busy of two drawn at random, by turns ('round-robin'), or by what requests have in common (hash)",
  },
)

/** `sticky` of an upstream. */
export const stickySchema = Type.Object(
  {
    cookie: Type.String({
      default: 'headrace-target',
      pattern: `^${TOKEN}$`,
      expects: "the name of a cookie such as 'headrace-target'",
      description: 'Name of the cookie that the gateway sets',
    }),
    maxAge: Duration({ default: '0s', description: "How long browsers keep it; '0s': until they are closed" }),
    sameSite: OneOf(['Lax', 'Strict', 'None'], { default: 'Lax', description: 'Its SameSite' }),
    secret: Secret({
      default: '',
      description:
        'Makes its values unguessable: without, somebody who guesses the address of a target can tell that it is one',
    }),
  },
  { additionalProperties: false, description: 'Keep a client at one target, by a cookie' },
)

const TARGET = {
  pattern: '^(?:(?:dns\\+|srv\\+)?(?:https?|h2c)://|unix:)',
  expects:
    "an origin such as 'http://127.0.0.1:3000', 'https://example.com', 'h2c://10.0.0.7:50051' or 'unix:/run/app.sock'",
}

/** A target of an upstream: an origin, or a name that leads to some. */
export const targetSchema = Type.Union(
  [
    Type.String(TARGET),
    Type.Object(
      {
        url: Type.String({ ...TARGET, description: 'The target, as it is written alone' }),
        weight: Type.Number({
          default: 1,
          minimum: 0.01,
          maximum: 1_000,
          description: "Its share of the requests, in relation to the others'",
        }),
        backup: Type.Boolean({ default: false, description: 'Used only while no other can be' }),
      },
      { additionalProperties: false, description: 'A target and its share' },
    ),
  ],
  { description: 'A target' },
)

export type BalanceInput = Static<typeof balanceSchema>
export type StickyInput = Static<typeof stickySchema>
export type TargetInput = Static<typeof targetSchema>

export type BalanceOptions = BalanceInput

export interface TargetOptions {
  /** As written, relative paths resolved: `http://host:port`, `unix:/absolute/path`, `dns+h2c://name:port`. */
  url: string
  /** An origin, or how the name in it leads to addresses. */
  via: 'origin' | 'dns' | 'srv'
  /** Without its `via`. */
  origin: string
  weight: number
  backup: boolean
}

export interface StickyOptions {
  cookie: string
  /** 0: as long as the browser is open. */
  maxAgeMs: number
  sameSite: 'Lax' | 'Strict' | 'None'
  secret: string
}

/** What a target is besides, or lacks, that it cannot be one. @param target as {@link targetSchema} lets it through */
export function targetFault(target: string): { message: string; suggestion?: string } | undefined {
  if (target.startsWith('unix:')) {
    return target === 'unix:' ? { message: "expected the path of a socket after 'unix:'" } : undefined
  }
  const [, via = '', address = target] = /^(dns\+|srv\+)?(.*)$/.exec(target) ?? []
  const url = httpOrigin(address)
  if (!URL.canParse(url)) return { message: `'${target}' is no URL` }
  const { origin, username, password, port, pathname, search, hash, hostname } = new URL(url)
  if (username !== '' || password !== '') {
    return { message: 'a target holds no credentials: an upstream gets those of the client' }
  }
  if (pathname !== '/' || search !== '' || hash !== '') {
    const message = `a target is an origin, without a path; a route's rewrite adds '${pathname}'`
    return { message, suggestion: `'${via}${asWritten(address, origin)}'` }
  }
  if (via === 'srv+' && (port !== '' || !/^_[^.]+\._(tcp|udp)\./.test(hostname))) {
    return { message: "the name of a service is '_service._tcp.name', without a port: its records say which" }
  }
  return undefined
}

/** @param toPath turns a path of the configuration into an absolute one */
export function resolveTarget(input: TargetInput, toPath: (path: string) => string): TargetOptions {
  const { url, weight, backup } = typeof input === 'string' ? { url: input, weight: 1, backup: false } : input
  if (url.startsWith('unix:')) {
    const socket = `unix:${toPath(url.slice(5))}`
    return { url: socket, via: 'origin', origin: socket, weight, backup }
  }
  const [, via = 'origin', origin = ''] = /^(?:(dns|srv)\+)?(.*?)\/?$/.exec(url) ?? []
  return { url: url.replace(/\/$/, ''), via: via as TargetOptions['via'], origin, weight, backup }
}

export function resolveSticky({ maxAge, ...input }: StickyInput): StickyOptions {
  return { ...input, maxAgeMs: milliseconds(maxAge) }
}
