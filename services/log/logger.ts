import { hostname } from 'node:os'
import { type DestinationStream, type LogDescriptor, type Logger, pino } from 'pino'
import type { default as Pretty } from 'pino-pretty'
import { onDemand } from '../lifetime/on-demand.ts'
import { takesColour } from './banner.ts'
import { logDestination } from './destination.ts'
import type { LogOptions } from './options.ts'

const pretty = onDemand<typeof Pretty>('pino-pretty')

/** Fields that hold credentials wherever they turn up in a logged object. */
const REDACTED = [
  'authorization',
  'cookie',
  '*.authorization',
  '*.cookie',
  '*["set-cookie"]',
  '*["proxy-authorization"]',
]

/** A process's log: pino for what happens now and then, and the stream below it for what happens all the time. */
export interface Log {
  log: Logger
  /** Takes finished lines of pino's JSON, newline included. */
  lines: DestinationStream
  /** What every line holds besides its own fields: `"pid":1,"hostname":"…"`. */
  base: string
}

/** Standard output: JSON lines, or coloured text on a terminal. Standard error stays free for what ends the process. */
export function createLog(options: LogOptions): Log {
  const isPretty = options.format === 'pretty' || (options.format === 'auto' && process.stdout.isTTY)
  const output = logDestination(1, {
    // Who looks on waits for none of them.
    collects: !isPretty,
    failed: ({ code, message }) =>
      console.error(
        `The log cannot be written (${code ?? message}). The gateway goes on; lines are lost until it can.`,
      ),
    recovered: (lost) => {
      if (lost > 0) log.warn({ lost }, 'Lines of the log could not be written and are lost')
    },
  })
  const lines = isPretty ? prettyLines(output, takesColour(process.stdout)) : output
  const base = `"pid":${process.pid},"hostname":${JSON.stringify(hostname())}`
  const log = pino({ level: options.level, redact: REDACTED }, lines)
  return { log, lines, base }
}

/** Takes lines of JSON, one at a time, and passes them on as text for people. */
export function prettyLines(output: DestinationStream, colorize: boolean): DestinationStream {
  const format = pretty().prettyFactory({
    colorize,
    ignore: 'pid,hostname,method,path,status,durationMs',
    singleLine: true,
    messageFormat: sentence,
  })
  return { write: (line) => output.write(format(line)) }
}

/**
 * What matters of a request comes first, `GET /api/vehicles 200 3.1 ms`; the fields that say it are not written again. They
 * come from clients: what a terminal would obey stays escaped.
 */
export function sentence(entry: LogDescriptor, messageKey: string): string {
  const { method, path, status, durationMs } = entry as Partial<Record<string, string | number>>
  const message = entry[messageKey] as string | undefined
  const parts = [method, path, status, durationMs === undefined ? undefined : `${durationMs} ms`]
    .filter((part) => part !== undefined)
    .map((part) => JSON.stringify(String(part)).slice(1, -1))
  return (message === undefined || message === 'request' ? parts : [message, ...parts]).join(' ')
}
