/** A server's place. */
export interface RedisNode {
  host: string
  port: number
}

/** Where Redis or Valkey is, as `redis.url` says. */
export type RedisTopology =
  | { kind: 'single'; node: RedisNode; db: number }
  /** The master of that name, as the sentinels know it. */
  | { kind: 'sentinel'; name: string; sentinels: RedisNode[]; db: number }
  /** Some nodes, from which the others are learned. */
  | { kind: 'cluster'; seeds: RedisNode[] }

export interface RedisAddress {
  topology: RedisTopology
  tls: boolean
  username: string | null
  password: string | null
}

const SCHEME = '(redis|valkey)(s?)'
const AUTH = '(?:([^:@/\\s]*)(?::([^@/\\s]*))?@)?'
const PORT = '(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])'
const HOST = `(?:\\[[0-9a-fA-F:.]+\\]|[A-Za-z0-9_.-]+)(?::${PORT})?`
const HOSTS = `(${HOST}(?:,${HOST})*)`
const DB = '(?:/([0-9]{1,5})?)?'
const SINGLE = `${SCHEME}://${AUTH}(${HOST})${DB}`
const CLUSTER = `${SCHEME}\\+cluster://${AUTH}${HOSTS}/?`
const SENTINEL = `${SCHEME}\\+sentinel://${AUTH}${HOSTS}/([A-Za-z0-9_.-]+)${DB}`

/** What {@link parseRedisUrl} takes. */
export const REDIS_URL_PATTERN = `^(?:${SINGLE}|${CLUSTER}|${SENTINEL})$`
export const REDIS_URL_EXPECTS =
  "'redis://[user:password@]host:6379[/db]', 'redis+cluster://host:6379,host:6379' or " +
  "'redis+sentinel://host:26379,host:26379/master-name', with rediss for TLS; '/' and '@' in a password as %2F and %40"

/** Reads what {@link REDIS_URL_PATTERN} has accepted. User and password may be percent-encoded. */
export function parseRedisUrl(url: string): RedisAddress {
  const single = new RegExp(`^${SINGLE}$`).exec(url)
  if (single !== null) {
    const [, , tls, user, password, host = '', db = '0'] = single
    return { topology: { kind: 'single', node: nodeOf(host, 6379), db: Number(db) }, ...access(tls, user, password) }
  }
  const cluster = new RegExp(`^${CLUSTER}$`).exec(url)
  if (cluster !== null) {
    const [, , tls, user, password, hosts = ''] = cluster
    const seeds = hosts.split(',').map((host) => nodeOf(host, 6379))
    return { topology: { kind: 'cluster', seeds }, ...access(tls, user, password) }
  }
  const [, , tls, user, password, hosts = '', name = '', db = '0'] = new RegExp(`^${SENTINEL}$`).exec(url) ?? []
  const sentinels = hosts.split(',').map((host) => nodeOf(host, 26379))
  return { topology: { kind: 'sentinel', name, sentinels, db: Number(db) }, ...access(tls, user, password) }
}

function access(tls = '', user = '', password = ''): Omit<RedisAddress, 'topology'> {
  return {
    tls: tls === 's',
    username: user === '' ? null : decoded(user),
    password: password === '' ? null : decoded(password),
  }
}

/** A password with a bare % in it is meant as it stands. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function nodeOf(text: string, defaultPort: number): RedisNode {
  const [, host = '', port] = /^(\[.*\]|[^:]*)(?::(\d+))?$/.exec(text) ?? []
  return { host: host.replace(/^\[|\]$/g, ''), port: port === undefined ? defaultPort : Number(port) }
}
