import { withoutKeys } from '../access/key/key-in-url.ts'
import type { Exchange } from '../downstream/exchange.ts'
import type { Log } from './logger.ts'
import type { LogOptions } from './options.ts'

/** What ends the name of a parameter whose value is a credential: `access_token`, `X-Amz-Signature`, `client_secret` … */
const SECRETS = [
  'apikey',
  'accesstoken',
  'refreshtoken',
  'code',
  'credential',
  'key',
  'password',
  'passwd',
  'secret',
  'sig',
  'signature',
  'token',
]
const INFO = 30
const WARN = 40
/** Characters that JSON has to escape, and those beyond ASCII, which are left to JSON.stringify as well. */
const UNSAFE = /["\\\u0000-\u001f\u007f-\uffff]/

/**
 * One line for each finished exchange: who asked for what, the answer, and how long it took. No header field and no body
 * is written; values of query parameters that look like credentials are replaced, and keys that the gateway has given out
 * wherever in the path or the query they stand. Below 400, a share may be written only.
 *
 * The line is put together here, in pino's form, and goes straight to its stream: through `log.info` it costs four
 * times as much (bench/micro/access-log.ts), which is a fifth of a proxied request.
 */
export function accessLog(
  { log, lines, base }: Pick<Log, 'lines' | 'base'> & { log: { levelVal: number } },
  options: LogOptions,
): (exchange: Exchange<{ key: string }>) => void {
  const names = [...SECRETS, ...options.redact].map((name) => RegExp.escape(name)).join('|')
  const secret = new RegExp(`([?&](?:[^=&]*[-_.])?(?:${names})=)[^&]*`, 'gi')
  return (exchange) => {
    const { status, query, plan } = exchange
    const level = status >= 500 ? WARN : INFO
    if (level < log.levelVal) return
    if (status < 400 && options.sample < 1 && Math.random() >= options.sample) return
    const path = withoutKeys(query === '' ? exchange.path : exchange.path + query.replace(secret, '$1[redacted]'))
    let line = `{"level":${level},"time":${Date.now()},${base},"requestId":${quote(exchange.requestId)},"client":${quote(exchange.clientAddress)},"protocol":"${exchange.protocol}","method":${quote(exchange.method)},"host":${quote(exchange.authority)},"path":${quote(path)},"status":${status},"durationMs":${tenths(performance.now() - exchange.arrivedAt)}`
    if (plan !== undefined) {
      line += `,"route":${quote(plan.key)},"upstreamMs":${tenths(exchange.upstreamMs)}`
      if (exchange.outcome !== '' && exchange.outcome !== 'response') line += `,"outcome":"${exchange.outcome}"`
    }
    if (exchange.identity !== undefined) line += `,"consumer":${quote(exchange.identity.id)}`
    if (exchange.cacheResult !== undefined) line += `,"cache":"${exchange.cacheResult}"`
    if (exchange.code !== '') line += `,"code":${quote(exchange.code)}`
    if (exchange.cause !== '') line += `,"cause":${quote(exchange.cause)}`
    lines.write(`${line},"msg":"request"}\n`)
  }
}

function quote(text: string): string {
  return UNSAFE.test(text) ? JSON.stringify(text) : `"${text}"`
}

/** A number to a tenth, without the long fractions of binary numbers. */
function tenths(ms: number): number {
  return Math.trunc(ms * 10) / 10
}
