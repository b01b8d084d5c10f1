import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'
import type * as Ioredis from 'ioredis'
import type { Cluster, Redis, RedisOptions as ClientOptions } from 'ioredis'
import { onDemand } from '../lifetime/on-demand.ts'
import { RedisTlsFileError } from './errors.ts'
import type { RedisOptions, RedisTlsOptions } from './options.ts'

const ioredis = onDemand<typeof Ioredis>('ioredis')

export type RedisClient = Redis | Cluster

/** Replies as RESP2 has them, whichever protocol is spoken. */
type CommonOptions = Omit<ClientOptions, 'replyMapping'>

const FIRST_RETRY_MS = 50
const LONGEST_RETRY_MS = 2_000

/**
 * A client that never makes anybody wait for a server that is away: it connects when told to, fails what it cannot send,
 * sends nothing twice, gives up on a connection that does not answer, and connects again by itself for as long as it is
 * open. Its errors are kept by the caller: it needs a listener for `error`.
 *
 * @param name as `CLIENT LIST` shows it
 * @throws HR_REDIS_TLS_FILE
 */
export function createClient(options: RedisOptions, name: string): RedisClient {
  const { topology, sentinelPassword, connectTimeoutMs } = options
  const common = commonOptions(options, name)
  switch (topology.kind) {
    case 'single':
      return inItsDatabase(new (ioredis().Redis)({ ...common, ...topology.node, db: topology.db }))
    case 'sentinel':
      return inItsDatabase(
        new (ioredis().Redis)({
          ...common,
          name: topology.name,
          sentinels: topology.sentinels,
          db: topology.db,
          ...(sentinelPassword === null ? {} : { sentinelPassword }),
          ...(common.tls === undefined ? {} : { sentinelTLS: common.tls, enableTLSForSentinelMode: true }),
          sentinelRetryStrategy: retryDelay,
          sentinelCommandTimeout: connectTimeoutMs,
        }),
      )
    case 'cluster': {
      // What a node's connection does is for the cluster's client to say.
      const { retryStrategy: _, enableOfflineQueue: __, ...node } = common
      return new (ioredis().Cluster)(topology.seeds, {
        lazyConnect: true,
        enableOfflineQueue: false,
        enableAutoPipelining: true,
        clusterRetryStrategy: retryDelay,
        clusterNodeRetryStrategy: retryDelay,
        maxRedirections: 4,
        redisOptions: node,
      })
    }
  }
}

function commonOptions(options: RedisOptions, name: string): CommonOptions {
  const { username, password, tls, connectTimeoutMs, commandTimeoutMs } = options
  return {
    connectionName: name,
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
    ...(tls === null ? {} : { tls: tlsOptions(tls) }),
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    connectTimeout: connectTimeoutMs,
    commandTimeout: commandTimeoutMs,
    // A peer that is gone without a word: the next command finds it out, not the system's quarter of an hour.
    socketTimeout: 2 * commandTimeoutMs,
    retryStrategy: retryDelay,
    reconnectOnError: leavingReplicas(),
  }
}

/** Whether a server has refused to write, since it is a replica. */
export function isReadOnly(reply: unknown): reply is Error {
  return reply instanceof Error && reply.message.startsWith('READONLY')
}

/**
 * A master that has become a replica keeps its connections and refuses writes: whoever connects again may find the new one.
 * What is a replica still is not left again at once: that would be a new connection for each refusal.
 */
function leavingReplicas(): (error: Error) => boolean {
  let leftAt = -Infinity
  return (error) => {
    const now = performance.now()
    if (!isReadOnly(error) || now - leftAt < LONGEST_RETRY_MS) return false
    leftAt = now
    return true
  }
}

/** The client goes on in the first database where it cannot have the one that it was told: what lies there is another's. */
function inItsDatabase(client: Redis): Redis {
  return client.on('error', (error: Error) => {
    if (isRefusedDatabase(error)) client.disconnect(true)
  })
}

/** Whether it is what the server says of a database that it has not, or does not give. */
export function isRefusedDatabase(error: Error): boolean {
  const { command } = error as { command?: { name?: string } }
  return command?.name === 'select'
}

export function isCluster(client: RedisClient): client is Cluster {
  return client.isCluster
}

/** Doubled each time, and spread, so that not all processes come at once. */
function retryDelay(attempts: number): number {
  const delay = Math.min(FIRST_RETRY_MS * 2 ** Math.min(attempts - 1, 16), LONGEST_RETRY_MS)
  return Math.round(delay * (0.5 + Math.random() / 2))
}

function tlsOptions({ ca, cert, key, servername, verify }: RedisTlsOptions): ConnectionOptions {
  return {
    ...(ca === null ? {} : { ca: read(ca) }),
    ...(cert === null ? {} : { cert: read(cert) }),
    ...(key === null ? {} : { key: read(key) }),
    ...(servername === null ? {} : { servername }),
    rejectUnauthorized: verify,
  }
}

function read(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new RedisTlsFileError(file, error instanceof Error ? error.message : String(error))
  }
}
