import { IncomingMessage } from 'node:http'
import { FieldNames } from '../http/field-names.ts'

/**
 * A request whose `headers` are not put together for node:http alone. Before it emits the request it looks for a few fields
 * (`parserOnIncoming` in lib/_http_server.js: framing, Expect, Upgrade; Host with `requireHostHeader`, which has to be off),
 * and would build the whole object for them. A cached answer never needs it: 8 % of its cost with a browser's fields
 * (`bench/micro/http1-floor.ts`).
 */
export class Http1Request extends IncomingMessage {
  /** node:http has handed it over: from here on `headers` is what it always is. */
  begun = false
}

const WANTED: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding', 'expect', 'upgrade', 'te'])
const wanted = new FieldNames(WANTED)
const NONE: Record<string, string> = Object.freeze({})
const whole = Object.getOwnPropertyDescriptor(IncomingMessage.prototype, 'headers') as PropertyDescriptor

Object.defineProperty(Http1Request.prototype, 'headers', {
  configurable: true,
  get(this: Http1Request) {
    return this.begun ? whole.get?.call(this) : essential(this.rawHeaders)
  },
  set(this: Http1Request, headers: unknown) {
    whole.set?.call(this, headers)
  },
})

/** The fields that node:http looks for; those that occur more than once it only has to find. */
function essential(raw: readonly string[]): Record<string, string> {
  let found: Record<string, string> | undefined
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string
    if (!wanted.mayHave(name)) continue
    const lowered = name.toLowerCase()
    if (WANTED.has(lowered)) (found ??= {})[lowered] = raw[i + 1] as string
  }
  return found ?? NONE
}
