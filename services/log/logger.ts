import { hostname } from 'node:os'
import { type DestinationStream, type Logger, pino } from 'pino'
import pretty from 'pino-pretty'
import type { LogOptions } from './options.ts'

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
  const lines = isPretty
    ? pretty({ colorize: process.stdout.isTTY, ignore: 'pid,hostname', singleLine: true })
    : // Collected into larger writes; pino writes out what is left when the process ends.
      pino.destination({ dest: 1, sync: false, minLength: 4_096, periodicFlush: 1_000 })
  const base = `"pid":${process.pid},"hostname":${JSON.stringify(hostname())}`
  return { log: pino({ level: options.level, redact: REDACTED }, lines), lines, base }
}
