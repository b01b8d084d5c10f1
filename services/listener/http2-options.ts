import type { ServerOptions } from 'node:http2'
import type { LimitsOptions } from './options.ts'

/** Pseudo-headers that a request may have (RFC 9113 §8.3.1, RFC 8441 §4). */
export const PSEUDO_FIELDS = 5
/** Frames that nghttp2 finds invalid before a session ends; Node's default of 1000 is a flood already. */
const MAX_INVALID_FRAMES = 100

/** The limits as options of `node:http2` servers, also of one that Fastify makes in a `serverFactory`. */
export function http2ServerOptions(
  limits: Pick<LimitsOptions, 'headerBytes' | 'headerCount' | 'http2'>,
): ServerOptions {
  return {
    settings: {
      maxConcurrentStreams: limits.http2.streams,
      initialWindowSize: limits.http2.windowBytes,
      maxHeaderListSize: limits.headerBytes,
      // WebSocket over a stream (RFC 8441).
      enableConnectProtocol: true,
    },
    // Node resets a stream with more; up to twice the limit is parsed, to be answered 431.
    maxHeaderListPairs: (limits.headerCount + PSEUDO_FIELDS) * 2,
    maxSessionInvalidFrames: MAX_INVALID_FRAMES,
    // CVE-2023-44487 (rapid reset). Http2Sessions is quicker; this also counts streams that were answered before their reset.
    streamResetBurst: limits.http2.resetBurst * 2,
    streamResetRate: limits.http2.resetRate,
  }
}
