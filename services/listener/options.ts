import type { Static } from 'typebox'
import { bytes, Duration, milliseconds, OneOf, Port, Size } from '../options/schema.ts'
import { Type } from '../options/type.ts'

const certificateSchema = Type.Object(
  {
    cert: Type.String({ description: 'Certificate chain, a PEM file (relative to the configuration file)' }),
    key: Type.String({ description: 'Private key, a PEM file' }),
    servername: Type.Optional(
      Type.String({ description: 'Name that selects this certificate by SNI; default: the names in the certificate' }),
    ),
  },
  {
    additionalProperties: false,
    examples: [{ cert: './tls.crt', key: './tls.key' }],
    description: 'A certificate and its key',
  },
)

/** One listener as people write it. */
export const listenerSchema = Type.Object(
  {
    host: Type.String({ default: '127.0.0.1', description: 'Address to bind; 0.0.0.0 or :: for all' }),
    port: Port({ default: 8080, description: 'TCP port; 0 asks the system for a free one' }),
    tls: Type.Optional(
      Type.Union(
        [
          certificateSchema,
          Type.Array(certificateSchema, { minItems: 1 }),
          Type.Literal('development', { description: 'A self-signed certificate, generated once in dataDir' }),
        ],
        {
          description:
            'One certificate, several chosen by SNI, or "development" for a generated one. Sessions are resumed by tickets, at any of several processes; their keys are made at the start, so a restart replaces them',
        },
      ),
    ),
    clientCertificates: Type.Optional(
      Type.Object(
        {
          ca: Type.String({ description: 'Certificates of those who issue them, a PEM file' }),
          mode: OneOf(['request', 'require'], {
            default: 'request',
            description: 'request: clients may have one; require: no connection without one that `ca` stands for',
          }),
        },
        {
          additionalProperties: false,
          examples: [{ ca: './clients-ca.crt' }],
          description: "Ask clients for certificates; routes say by 'mtls' in `access` who may call with one",
        },
      ),
    ),
    http2: Type.Boolean({ default: true, description: 'Offer HTTP/2 by ALPN where tls is set' }),
    h2c: Type.Boolean({
      default: false,
      description: 'Accept HTTP/2 in cleartext on the same port (prior knowledge; the preface decides)',
    }),
    redirect: Type.Optional(
      OneOf(['https'], { description: 'Answer every request with a redirect to the https listener' }),
    ),
  },
  {
    additionalProperties: false,
    examples: [{ host: '0.0.0.0', port: 8080 }],
    description: 'An address that clients connect to',
  },
)

/** Limits of every public connection, after Envoy's guide for edge proxies. */
export const limitsSchema = Type.Object(
  {
    connections: Type.Integer({
      default: 20_000,
      minimum: 1,
      description: 'Open client connections a process; more are closed at once',
    }),
    headerTimeout: Duration({ default: '10s', description: 'From the first byte to the end of a request head' }),
    idleTimeout: Duration({ default: '75s', description: 'A keep-alive connection without a request is closed' }),
    headerSize: Size({ default: '32KiB', description: 'Largest request head; more is answered 431' }),
    headerCount: Type.Integer({
      default: 200,
      minimum: 1,
      description: 'Most header fields of a request; more is 431',
    }),
    bodySize: Size({ default: '1GiB', description: 'Largest request body; more is answered 413' }),
    bodyMinRate: Size({
      default: '100B',
      description: 'A request body slower than this per second, over 10 s, is cut with 408; 0B switches it off',
    }),
    sendTimeout: Duration({
      default: '60s',
      description:
        'A client that takes nothing of its answer for so long is cut off, its stream on HTTP/2; 0s lets it wait for ever',
    }),
    http2: Type.Object(
      {
        streams: Type.Integer({ default: 100, minimum: 1, description: 'Concurrent streams a connection' }),
        resetBurst: Type.Integer({ default: 50, minimum: 1, description: 'Stream resets allowed at once' }),
        resetRate: Type.Integer({ default: 10, minimum: 1, description: 'Stream resets a second after the burst' }),
        windowSize: Size({ default: '256KiB', description: 'Initial flow-control window of a stream' }),
        connectionWindowSize: Size({ default: '1MiB', description: 'Flow-control window of a connection' }),
        pingsPerSecond: Type.Integer({
          default: 10,
          minimum: 1,
          description: 'PING and SETTINGS frames a second; more is GOAWAY',
        }),
      },
      { additionalProperties: false, default: {}, description: 'HTTP/2 session limits' },
    ),
  },
  { additionalProperties: false, default: {}, description: 'Limits of client connections and requests' },
)

export type ListenerInput = Static<typeof listenerSchema>
export type LimitsInput = Static<typeof limitsSchema>

export interface CertificateFiles {
  cert: string
  key: string
  servername: string | null
}

export interface ListenerOptions {
  host: string
  port: number
  /** Absolute paths of PEM files; `'development'` is resolved by the server (services/listener/certificate.ts). */
  tls: CertificateFiles[] | 'development' | null
  /** `null`: clients are not asked for a certificate. Absolute path. */
  clientCertificates?: { ca: string; mode: 'request' | 'require' } | null
  http2: boolean
  h2c: boolean
  redirect: 'https' | null
}

export interface LimitsOptions {
  connections: number
  headerTimeoutMs: number
  idleTimeoutMs: number
  headerBytes: number
  headerCount: number
  bodyBytes: number
  bodyMinBytesPerSecond: number
  /** 0 for none. */
  sendTimeoutMs: number
  http2: {
    streams: number
    resetBurst: number
    resetRate: number
    windowBytes: number
    connectionWindowBytes: number
    pingsPerSecond: number
  }
}

/** @param toPath turns a path of the configuration into an absolute one */
export function resolveListener(input: ListenerInput, toPath: (path: string) => string): ListenerOptions {
  const { tls } = input
  const files = tls === undefined || tls === 'development' ? [] : Array.isArray(tls) ? tls : [tls]
  return {
    host: input.host,
    port: input.port,
    tls:
      tls === undefined
        ? null
        : tls === 'development'
          ? 'development'
          : files.map((file) => ({
              cert: toPath(file.cert),
              key: toPath(file.key),
              servername: file.servername ?? null,
            })),
    clientCertificates:
      input.clientCertificates === undefined
        ? null
        : { ca: toPath(input.clientCertificates.ca), mode: input.clientCertificates.mode },
    http2: input.http2,
    h2c: input.h2c,
    redirect: input.redirect ?? null,
  }
}

export function resolveLimits(input: LimitsInput): LimitsOptions {
  return {
    connections: input.connections,
    headerTimeoutMs: milliseconds(input.headerTimeout),
    idleTimeoutMs: milliseconds(input.idleTimeout),
    headerBytes: bytes(input.headerSize),
    headerCount: input.headerCount,
    bodyBytes: bytes(input.bodySize),
    bodyMinBytesPerSecond: bytes(input.bodyMinRate),
    sendTimeoutMs: milliseconds(input.sendTimeout),
    http2: {
      streams: input.http2.streams,
      resetBurst: input.http2.resetBurst,
      resetRate: input.http2.resetRate,
      windowBytes: bytes(input.http2.windowSize),
      connectionWindowBytes: bytes(input.http2.connectionWindowSize),
      pingsPerSecond: input.http2.pingsPerSecond,
    },
  }
}
