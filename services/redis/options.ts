import type { Static } from 'typebox'
import { Duration, milliseconds, Secret } from '../options/schema.ts'
import { tlsClientProperties } from '../options/tls-client.ts'
import { Type } from '../options/type.ts'
import { parseRedisUrl, REDIS_URL_EXPECTS, REDIS_URL_PATTERN, type RedisAddress } from './topology.ts'

/** `redis` in the configuration: the connection to Redis or Valkey, whatever it is used for. */
export const redisSchema = Type.Object(
  {
    url: Type.Optional(
      Type.String({
        pattern: REDIS_URL_PATTERN,
        expects: REDIS_URL_EXPECTS,
        secret: true,
        description: `Where Redis or Valkey is (REDIS_URL): ${REDIS_URL_EXPECTS}. Without it none is used`,
      }),
    ),
    sentinelPassword: Type.Optional(Secret({ description: 'Password of the sentinels, where they ask for one' })),
    prefix: Type.String({
      pattern: '^[A-Za-z0-9_.:-]{1,64}$',
      expects: "letters, digits, '_', '-', '.' and ':', 64 at most",
      default: 'headrace',
      description: 'How every key and channel begins; gateways with the same prefix share what they store',
    }),
    maxConnections: Type.Integer({
      default: 20,
      minimum: 2,
      maximum: 50,
      description: 'Connections a process, opened as they are needed (REDIS_MAX_CONNECTIONS); a cluster has one a node',
    }),
    connectTimeout: Duration({ default: '5s', description: 'To open a connection' }),
    commandTimeout: Duration({
      default: '1s',
      description: 'Until a command fails that is not answered; no request waits so long for the cache',
    }),
    tls: Type.Object(tlsClientProperties, {
      additionalProperties: false,
      default: {},
      description: 'TLS, where the URL says rediss',
    }),
  },
  {
    additionalProperties: false,
    default: {},
    examples: [{ url: 'redis://localhost:6379' }],
    description: 'Redis or Valkey, which machines share',
  },
)

export type RedisInput = Static<typeof redisSchema>

export interface RedisTlsOptions {
  ca: string | null
  cert: string | null
  key: string | null
  servername: string | null
  verify: boolean
}

export interface RedisOptions extends Omit<RedisAddress, 'tls'> {
  sentinelPassword: string | null
  prefix: string
  maxConnections: number
  connectTimeoutMs: number
  commandTimeoutMs: number
  /** `null` for cleartext. */
  tls: RedisTlsOptions | null
}

/** @returns `null` where no URL is given */
export function resolveRedis(input: RedisInput, toPath: (path: string) => string): RedisOptions | null {
  if (input.url === undefined) return null
  const { topology, tls, username, password } = parseRedisUrl(input.url)
  const file = (path: string | undefined): string | null => (path === undefined ? null : toPath(path))
  const { ca, cert, key, servername = null, verify } = input.tls
  return {
    topology,
    username,
    password,
    sentinelPassword: input.sentinelPassword ?? null,
    prefix: input.prefix,
    maxConnections: input.maxConnections,
    connectTimeoutMs: milliseconds(input.connectTimeout),
    commandTimeoutMs: milliseconds(input.commandTimeout),
    tls: tls ? { ca: file(ca), cert: file(cert), key: file(key), servername, verify } : null,
  }
}
