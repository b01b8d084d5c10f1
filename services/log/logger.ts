import { type Logger, pino } from 'pino'
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

/** Pino on standard output: JSON lines, or coloured text on a terminal. Standard error stays free for what ends the process. */
export function createLogger(options: LogOptions): Logger {
  const isPretty = options.format === 'pretty' || (options.format === 'auto' && process.stdout.isTTY)
  const settings = { level: options.level, redact: REDACTED }
  if (isPretty)
    return pino(settings, pretty({ colorize: process.stdout.isTTY, ignore: 'pid,hostname', singleLine: true }))
  // Collected into larger writes; pino writes out what is left when the process ends.
  return pino(settings, pino.destination({ dest: 1, sync: false, minLength: 4_096, periodicFlush: 1_000 }))
}
