import type { WebSocketCounters } from '../websocket/counters.ts'
import { family, type MetricDefinition, type MetricSource } from './families.ts'

const open: MetricDefinition = {
  name: 'headrace_websocket_connections',
  type: 'gauge',
  help: 'WebSocket connections that are open',
  labels: [],
}

const opened: MetricDefinition = {
  name: 'headrace_websocket_opened_total',
  type: 'counter',
  help: 'WebSocket connections that were opened',
  labels: [],
}

const ended: MetricDefinition = {
  name: 'headrace_websocket_ended_total',
  type: 'counter',
  help: 'WebSocket connections that have ended, by who or what has ended them: client, upstream, idle, drain, protocol (a malformed frame), too_large (a message), cut (no end came in time)',
  labels: ['by'],
}

const refused: MetricDefinition = {
  name: 'headrace_websocket_refused_total',
  type: 'counter',
  help: 'WebSocket handshakes that were refused here, by the code of the answer',
  labels: ['code'],
}

/** What WebSocket connections have counted. @param counters `null` for the definitions alone */
export function webSocketMetrics(counters: WebSocketCounters | null): MetricSource {
  return {
    definitions: [open, opened, ended, refused],
    collect: () =>
      counters === null
        ? []
        : [
            family(open, [{ labels: {}, value: counters.open }]),
            family(opened, [{ labels: {}, value: counters.opened }]),
            family(
              ended,
              Object.entries(counters.ended).map(([by, value]) => ({ labels: { by }, value })),
            ),
            family(
              refused,
              Object.entries(counters.refused).map(([code, value]) => ({ labels: { code }, value })),
            ),
          ],
  }
}
