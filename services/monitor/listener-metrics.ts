import type { Http2Counters, ListenerCounters } from '../listener/counters.ts'
import { family, type MetricDefinition, type MetricSource, type Sample } from './families.ts'

/** What one listener has counted; `listener` is its address, the label of its metrics. */
export interface ListenerReading {
  listener: string
  counters: ListenerCounters
  /** Null where it speaks no HTTP/2. */
  http2: Http2Counters | null
}

const counter = (name: string, help: string, ...labels: string[]): MetricDefinition => ({
  name,
  type: 'counter',
  help,
  labels: ['listener', ...labels],
})
const gauge = (name: string, help: string): MetricDefinition => ({ name, type: 'gauge', help, labels: ['listener'] })

const open = gauge('headrace_connections_open', 'Client connections open now')
const accepted = counter('headrace_connections_accepted_total', 'Client connections accepted')
const refused = counter(
  'headrace_connections_refused_total',
  'Client connections closed at once because limits.connections were open in the process',
)
const ended = counter(
  'headrace_connections_drained_total',
  'Connections ended by a drain: idle ones, and those still busy at its deadline',
  'how',
)
const tlsFailed = counter('headrace_tls_failures_total', 'TLS handshakes that failed or took too long')
const rejected = counter(
  'headrace_requests_rejected_total',
  'Requests refused before any route saw them: malformed (by the code of the answer), unsupported, or too slow',
  'reason',
)
const sessionsOpen = gauge('headrace_http2_sessions_open', 'HTTP/2 sessions open now')
const sessions = counter('headrace_http2_sessions_total', 'HTTP/2 sessions begun')
const streams = counter('headrace_http2_streams_total', 'HTTP/2 streams begun')
const resets = counter('headrace_http2_resets_total', 'HTTP/2 streams that ended in a reset, by either side')
const malformed = counter('headrace_http2_malformed_total', 'HTTP/2 streams refused for their head')
const goaways = counter('headrace_http2_goaways_total', 'HTTP/2 sessions told to go away, by the reason', 'reason')
const errors = counter(
  'headrace_http2_errors_total',
  'HTTP/2 sessions that broke: protocol errors, reset floods, broken sockets',
)

type Read<T> = (reading: T) => number | Record<string, number>

const OF_LISTENER: [MetricDefinition, Read<ListenerCounters>][] = [
  [open, (counters) => counters.open],
  [accepted, (counters) => counters.accepted],
  [refused, (counters) => counters.refused],
  [ended, ({ drained, destroyed }) => ({ idle: drained, destroyed })],
  [tlsFailed, (counters) => counters.tlsFailed],
  [
    rejected,
    (counters) => ({
      ...counters.malformed,
      unsupported: counters.unsupported,
      head_timeout: counters.headTimeouts,
      slow_body: counters.slowBodies,
      stalled_reader: counters.stalledReaders,
    }),
  ],
]

const OF_HTTP2: [MetricDefinition, Read<Http2Counters>][] = [
  [sessionsOpen, (counters) => counters.open],
  [sessions, (counters) => counters.sessions],
  [streams, (counters) => counters.streams],
  [resets, (counters) => counters.resets],
  [malformed, (counters) => counters.malformed],
  [goaways, (counters) => counters.goaways],
  [errors, (counters) => counters.errors],
]

/** The connections, refusals and HTTP/2 sessions of every listener, read when someone asks. */
export function listenerMetrics(read: () => readonly ListenerReading[]): MetricSource {
  return {
    definitions: [...OF_LISTENER, ...OF_HTTP2].map(([definition]) => definition),
    collect() {
      const listeners = read()
      const http2 = listeners.flatMap(({ listener, http2: counters }) => (counters ? [{ listener, counters }] : []))
      return [
        ...OF_LISTENER.map(([definition, value]) => family(definition, samples(definition, listeners, value))),
        ...OF_HTTP2.map(([definition, value]) => family(definition, samples(definition, http2, value))),
      ]
    },
  }
}

/** One sample a listener, or one for each entry where the definition has a second label. */
function samples<T>(
  { labels }: MetricDefinition,
  readings: readonly { listener: string; counters: T }[],
  read: Read<T>,
): Sample[] {
  return readings.flatMap(({ listener, counters }) => {
    const value = read(counters)
    if (typeof value === 'number') return [{ labels: { listener }, value }]
    const [, by = ''] = labels
    return Object.entries(value).map(([name, count]) => ({ labels: { listener, [by]: name }, value: count }))
  })
}
