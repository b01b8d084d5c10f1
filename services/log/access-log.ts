import type { Exchange } from '../downstream/exchange.ts'
import type { LogOptions } from './options.ts'

/** What the access log writes with: pino, or anything like it. */
export interface AccessLogger {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  isLevelEnabled(level: string): boolean
}

const SECRETS = ['access_token', 'api_key', 'apikey', 'code', 'key', 'password', 'secret', 'sig', 'signature', 'token']

/**
 * One line for each finished exchange: who asked for what, the answer, and how long it took. No header field and no body
 * is written; values of query parameters that look like credentials are replaced. Below 400, a share may be written only.
 */
export function accessLog(log: AccessLogger, options: LogOptions): (exchange: Exchange<{ key: string }>) => void {
  const names = [...SECRETS, ...options.redact].map((name) => RegExp.escape(name)).join('|')
  const secret = new RegExp(`([?&](?:${names})=)[^&]*`, 'gi')
  return (exchange) => {
    const { status } = exchange
    if (status < 400 && options.sample < 1 && Math.random() >= options.sample) return
    const level = status >= 500 ? 'warn' : 'info'
    if (!log.isLevelEnabled(level)) return
    const { query } = exchange
    const fields: Record<string, unknown> = {
      requestId: exchange.requestId,
      client: exchange.clientAddress,
      protocol: exchange.protocol,
      method: exchange.method,
      host: exchange.authority,
      path: query === '' ? exchange.path : exchange.path + query.replace(secret, '$1[redacted]'),
      status,
      durationMs: tenths(performance.now() - exchange.arrivedAt),
    }
    if (exchange.plan !== undefined) {
      fields['route'] = exchange.plan.key
      fields['upstreamMs'] = tenths(exchange.upstreamMs)
      if (exchange.outcome !== 'response') fields['outcome'] = exchange.outcome
    }
    if (exchange.code !== '') fields['code'] = exchange.code
    log[level](fields, 'request')
  }
}

function tenths(ms: number): number {
  return ((ms * 10) | 0) / 10
}
