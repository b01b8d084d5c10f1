/**
 * What a listener counts: plain integers, read at scrape. All but `open` only grow.
 */
export interface ListenerCounters {
  /** Connections accepted. */
  accepted: number
  /** Connections open now. */
  open: number
  /** Connections closed at once because `limits.connections` were open in the process. */
  refused: number
  /** TLS handshakes that failed or took too long. */
  tlsFailed: number
  /** HTTP/1 requests. */
  requests: number
  /** CONNECT, WebSocket upgrades and expectations refused. */
  unsupported: number
  /** Heads that did not arrive within `limits.headerTimeout`. */
  headTimeouts: number
  /** Bodies cut for coming slower than `limits.bodyMinRate`. */
  slowBodies: number
  /** Connections ended because their client took nothing for `limits.sendTimeout`. */
  stalledReaders: number
  /** Refused before the handlers saw them, by the code of the answer. */
  malformed: Record<string, number>
  /** Connections ended by drain while idle, and those destroyed at its deadline. */
  drained: number
  destroyed: number
}

/** What the HTTP/2 sessions of one or more listeners count. */
export interface Http2Counters {
  /** Sessions begun. */
  sessions: number
  /** Sessions open now. */
  open: number
  streams: number
  /** Streams that ended in a reset, by either side. */
  resets: number
  /** Streams refused with PROTOCOL_ERROR for their head, here or by nghttp2. */
  malformed: number
  /** Sessions told to go away, by the reason. */
  goaways: { drain: number; idle: number; flood: number }
  /** Sessions that broke: protocol errors, reset floods (nghttp2), broken sockets. */
  errors: number
}

export function createListenerCounters(): ListenerCounters {
  return {
    accepted: 0,
    open: 0,
    refused: 0,
    tlsFailed: 0,
    requests: 0,
    unsupported: 0,
    headTimeouts: 0,
    slowBodies: 0,
    stalledReaders: 0,
    malformed: {},
    drained: 0,
    destroyed: 0,
  }
}

export function createHttp2Counters(): Http2Counters {
  return {
    sessions: 0,
    open: 0,
    streams: 0,
    resets: 0,
    malformed: 0,
    goaways: { drain: 0, idle: 0, flood: 0 },
    errors: 0,
  }
}

/** The sum of what several have counted. */
export function addHttp2Counters(all: readonly Http2Counters[]): Http2Counters {
  const sum = createHttp2Counters()
  for (const { goaways, ...counts } of all) {
    for (const name of Object.keys(counts) as (keyof typeof counts)[]) sum[name] += counts[name]
    for (const reason of Object.keys(goaways) as (keyof typeof goaways)[]) sum.goaways[reason] += goaways[reason]
  }
  return sum
}
