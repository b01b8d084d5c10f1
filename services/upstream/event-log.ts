import type { UpstreamEvent, UpstreamListener } from './events.ts'

type Log = Record<'info' | 'warn', (details: object, message: string) => void>

/** Writes a line for each thing that happens to upstreams. */
export function eventLog(log: Log): UpstreamListener {
  return ({ type, ...details }) => {
    const [level, message] = LINES[type]
    log[level](details, message)
  }
}

const LINES: Record<UpstreamEvent['type'], ['info' | 'warn', string]> = {
  targets: ['info', 'The targets of an upstream have changed'],
  healthy: ['info', 'A target is well again'],
  unhealthy: ['warn', 'A target has failed its health checks and gets no requests'],
  ejected: ['warn', 'A target fails more than others and gets no requests for a while'],
  returned: ['info', 'A target gets requests again'],
  breaker: ['warn', 'The breaker of a target has changed its state'],
  panic: ['warn', 'Too few targets of an upstream are in good health: all are used'],
  'panic-over': ['info', 'Targets of an upstream are in good health again'],
  'lookup-failed': ['warn', 'The name of a target cannot be looked up; what was found before stays'],
}
