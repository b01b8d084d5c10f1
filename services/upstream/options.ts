import { pathToFileURL } from 'node:url'
import type { Static } from 'typebox'
import { tlsClientProperties } from '../options/tls-client.ts'
import { Type } from '../options/type.ts'
import {
  budgetSchema,
  type BudgetOptions,
  hedgeSchema,
  type HedgeOptions,
  resolveHedge,
  resolveRetry,
  RETRY_CONNECTS,
  type RetryOptions,
  retrySchema,
} from './retry/options.ts'
import { Duration, milliseconds, OneOf } from '../options/schema.ts'
import {
  balanceSchema,
  type BalanceOptions,
  resolveSticky,
  resolveTarget,
  stickySchema,
  type StickyOptions,
  type TargetOptions,
  targetSchema,
} from './balance/options.ts'
import { type BreakerOptions, breakerSchema, resolveBreaker } from './breaker/options.ts'
import { type ConcurrencyOptions, concurrencySchema, resolveConcurrency } from './concurrency/options.ts'
import {
  healthSchema,
  type HealthOptions,
  type OutlierOptions,
  outliersSchema,
  resolveHealth,
  resolveOutliers,
} from './health/options.ts'

/** The timeouts of an upstream call. */
const timeoutSchema = Type.Object(
  {
    connect: Duration({ default: '2s', description: 'To open a connection (TCP and TLS)' }),
    firstByte: Duration({ default: '10s', description: 'From the sent request to the response head' }),
    idle: Duration({ default: '15s', description: 'Between two chunks of a response body' }),
    total: Duration({
      default: '60s',
      description: "From the request's arrival to the response head, retries included",
    }),
    streamIdle: Duration({ default: '5m', description: 'Instead of idle for event streams and upgrades' }),
  },
  {
    additionalProperties: false,
    default: {},
    examples: [{ firstByte: '30s' }],
    description: 'Timeouts; what runs out is answered 504',
  },
)

/** One upstream as people write it. */
export const upstreamSchema = Type.Object(
  {
    targets: Type.Array(targetSchema, {
      minItems: 1,
      description:
        "What serves it: 'http://host:port', 'https://host', 'unix:/path/to.sock', 'h2c://host:port' (HTTP/2 in cleartext, without asking first); by name, looked up again and again: 'dns+http://host:port' (all its addresses), 'srv+http://_service._tcp.name' (all its servers); with https and h2c too",
    }),
    balance: balanceSchema,
    sticky: Type.Optional(stickySchema),
    refresh: Duration({
      default: '30s',
      description: 'How long the answer for a name holds at most (dns+, srv+); its TTL may be shorter',
    }),
    nameServers: Type.Array(
      Type.String({
        pattern: '^(?:\\d{1,3}(?:\\.\\d{1,3}){3}|\\[[0-9A-Fa-f:.]+\\])(?::\\d{1,5})?$',
        expects: "an address such as '10.0.0.2', '10.0.0.2:8600' or '[fd00::2]:8600'",
      }),
      {
        default: [],
        examples: [['127.0.0.1:8600']],
        description:
          "Who is asked for names (dns+, srv+), such as a service registry; without any the machine's name servers, then the machine",
      },
    ),
    drainTimeout: Duration({
      default: '5m',
      description:
        'How long requests in flight, and WebSocket connections, may take on a target that has left, before they are cut',
    }),
    health: Type.Optional(healthSchema),
    outliers: Type.Union([outliersSchema, Type.Literal(false)], {
      default: {},
      description: 'Leave a target alone for a while that fails more than others; false: never',
    }),
    breaker: Type.Optional(breakerSchema),
    retry: Type.Optional(
      Type.Union([retrySchema, Type.Literal(false)], {
        description:
          'Send requests again that have no body and may be repeated (GET, HEAD, PUT, DELETE, OPTIONS, QUERY); without it, and for any method, only where no connection could be had, and to another target; false: never',
      }),
    ),
    retryBudget: budgetSchema,
    hedge: Type.Optional(hedgeSchema),
    concurrency: Type.Optional(
      Type.Union([concurrencySchema, Type.Boolean()], {
        description:
          'Send no more requests at a time than it answers without getting slow (docs/load-shedding.md): true, or how; without it, as many as `connections` and `queue` allow',
      }),
    ),
    failureStatuses: Type.Array(Type.Integer({ minimum: 400, maximum: 599 }), {
      default: [502, 503, 504],
      description: 'Statuses that count as failures of their target, beside answers that do not come or break off',
    }),
    slowStart: Duration({
      default: '0s',
      description: "How long a target takes to its whole share when it has come or come back; '0s': at once",
    }),
    panic: Type.Number({
      default: 0,
      minimum: 0,
      maximum: 1,
      description:
        'Share of targets in good health below which all are used, as it is then more likely a mistake; 0: only when none is left',
    }),
    connections: Type.Integer({
      default: 100,
      minimum: 1,
      description: 'Connections a target, in each process (HTTP_MAX_CONNECTIONS)',
    }),
    queue: Type.Integer({
      default: 10_000,
      minimum: 0,
      description: 'Requests that may wait for a connection, a target; more are answered 503',
    }),
    keepAlive: Duration({ default: '30s', description: 'How long an idle upstream connection is kept' }),
    timeout: timeoutSchema,
    http2: Type.Boolean({
      default: false,
      description:
        'Speak HTTP/2 to https targets that take it by ALPN, HTTP/1.1 to others; h2c targets get HTTP/2 anyway',
    }),
    host: OneOf(['preserve', 'upstream'], {
      default: 'upstream',
      description:
        "Host field sent: the client's (preserve) or the target's (upstream); also the target's where an HTTP/1.0 client sends none",
    }),
    required: Type.Boolean({ default: true, description: '/ready answers 503 while no target accepts connections' }),
    openapi: Type.Optional(
      Type.String({
        description: "Its OpenAPI document: a path on the upstream ('/openapi.json') or a file ('./api.yaml')",
      }),
    ),
    tls: Type.Optional(
      Type.Object(tlsClientProperties, { additionalProperties: false, description: 'TLS towards https targets' }),
    ),
  },
  {
    additionalProperties: false,
    examples: [{ targets: ['http://127.0.0.1:3000'] }],
    description: 'A service that requests are sent to',
  },
)

export type UpstreamInput = Static<typeof upstreamSchema>
export type TimeoutInput = Static<typeof timeoutSchema>

export interface TimeoutOptions {
  connectMs: number
  firstByteMs: number
  idleMs: number
  totalMs: number
  streamIdleMs: number
}

export interface UpstreamTlsOptions {
  ca: string | null
  cert: string | null
  key: string | null
  servername: string | null
  verify: boolean
}

export interface UpstreamOptions {
  name: string
  targets: TargetOptions[]
  balance: BalanceOptions
  sticky: StickyOptions | null
  refreshMs: number
  /** None: the machine's. */
  nameServers: string[]
  drainTimeoutMs: number
  /** `null`: targets are not asked. */
  health: HealthOptions | null
  /** `null`: none is ejected. */
  outliers: OutlierOptions | null
  /** `null`: nothing is sent again. */
  retry: RetryOptions | null
  retryBudget: BudgetOptions
  hedge: HedgeOptions | null
  /** `null`: targets have none. */
  breaker: BreakerOptions | null
  /** `null`: as many as come. */
  concurrency: ConcurrencyOptions | null
  failureStatuses: number[]
  slowStartMs: number
  /** 0…1 */
  panicBelow: number
  connections: number
  queue: number
  keepAliveMs: number
  timeout: TimeoutOptions
  http2: boolean
  host: 'preserve' | 'upstream'
  required: boolean
  /** A path on the upstream, or the `file:` URL of a file; `null` for none. */
  openapi: string | null
  tls: UpstreamTlsOptions | null
}

/** An absolute path of a file begins with a slash as a path on the upstream does: files become `file:` URLs. */
function resolveSpecification(input: string | undefined, toPath: (path: string) => string): string | null {
  if (input === undefined) return null
  return input.startsWith('/') ? input : pathToFileURL(toPath(input)).href
}

function resolveTimeout(input: TimeoutInput): TimeoutOptions {
  return {
    connectMs: milliseconds(input.connect),
    firstByteMs: milliseconds(input.firstByte),
    idleMs: milliseconds(input.idle),
    totalMs: milliseconds(input.total),
    streamIdleMs: milliseconds(input.streamIdle),
  }
}

/** @param toPath turns a path of the configuration into an absolute one */
export function resolveUpstream(name: string, input: UpstreamInput, toPath: (path: string) => string): UpstreamOptions {
  const file = (path: string | undefined): string | null => (path === undefined ? null : toPath(path))
  return {
    name,
    targets: input.targets.map((target) => resolveTarget(target, toPath)),
    balance: input.balance,
    sticky: input.sticky ? resolveSticky(input.sticky) : null,
    refreshMs: milliseconds(input.refresh),
    nameServers: input.nameServers,
    drainTimeoutMs: milliseconds(input.drainTimeout),
    health: input.health ? resolveHealth(input.health) : null,
    outliers: input.outliers === false ? null : resolveOutliers(input.outliers),
    breaker: input.breaker ? resolveBreaker(input.breaker) : null,
    retry: input.retry === false ? null : input.retry === undefined ? RETRY_CONNECTS : resolveRetry(input.retry),
    retryBudget: input.retryBudget,
    hedge: input.hedge ? resolveHedge(input.hedge) : null,
    concurrency: resolveConcurrency(input.concurrency ?? false),
    failureStatuses: input.failureStatuses,
    slowStartMs: milliseconds(input.slowStart),
    panicBelow: input.panic,
    connections: input.connections,
    queue: input.queue,
    keepAliveMs: milliseconds(input.keepAlive),
    timeout: resolveTimeout(input.timeout),
    http2: input.http2,
    host: input.host,
    required: input.required,
    openapi: resolveSpecification(input.openapi, toPath),
    tls: input.tls
      ? {
          ca: file(input.tls.ca),
          cert: file(input.tls.cert),
          key: file(input.tls.key),
          servername: input.tls.servername ?? null,
          verify: input.tls.verify,
        }
      : null,
  }
}
