import { pathToFileURL } from 'node:url'
import { Type, type Static } from 'typebox'
import { Duration, milliseconds, OneOf } from '../options/schema.ts'

/** The timeouts of an upstream call. */
export const timeoutSchema = Type.Object(
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
  { additionalProperties: false, default: {}, description: 'Timeouts; what runs out is answered 504' },
)

const ORIGIN = "an origin such as 'http://127.0.0.1:3000', 'https://example.com' or 'unix:/run/app.sock'"

/** One upstream as people write it. */
export const upstreamSchema = Type.Object(
  {
    targets: Type.Array(Type.String({ pattern: '^(https?://|unix:)', expects: ORIGIN }), {
      minItems: 1,
      description: "Origins that serve it: 'http://host:port', 'https://host', 'unix:/path/to.sock'",
    }),
    connections: Type.Integer({ default: 100, minimum: 1, description: 'Connections a target (HTTP_MAX_CONNECTIONS)' }),
    queue: Type.Integer({
      default: 10_000,
      minimum: 0,
      description: 'Requests that may wait for a connection, a target; more are answered 503',
    }),
    keepAlive: Duration({ default: '30s', description: 'How long an idle upstream connection is kept' }),
    timeout: timeoutSchema,
    http2: Type.Boolean({ default: false, description: 'Speak HTTP/2 to targets that offer it by ALPN' }),
    host: OneOf(['preserve', 'upstream'], {
      default: 'upstream',
      description: "Host field sent: the client's (preserve) or the target's (upstream)",
    }),
    required: Type.Boolean({ default: true, description: '/ready answers 503 while no target accepts connections' }),
    openapi: Type.Optional(
      Type.String({
        description: "Its OpenAPI document: a path on the upstream ('/openapi.json') or a file ('./api.yaml')",
      }),
    ),
    tls: Type.Optional(
      Type.Object(
        {
          ca: Type.Optional(Type.String({ description: 'PEM file of the authorities to trust' })),
          cert: Type.Optional(Type.String({ description: 'PEM file of the client certificate' })),
          key: Type.Optional(Type.String({ description: 'PEM file of its key' })),
          servername: Type.Optional(Type.String({ description: 'Name to ask for (SNI) and to verify' })),
          verify: Type.Boolean({ default: true, description: 'Refuse certificates that do not verify' }),
        },
        { additionalProperties: false, description: 'TLS towards https targets' },
      ),
    ),
  },
  { additionalProperties: false, description: 'A service that requests are sent to' },
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
  /** `http://host:port`, `https://host:port` or `unix:/absolute/path` */
  targets: string[]
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

export function resolveTimeout(input: TimeoutInput): TimeoutOptions {
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
    targets: input.targets.map((target) =>
      target.startsWith('unix:') ? `unix:${toPath(target.slice(5))}` : target.replace(/\/$/, ''),
    ),
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
