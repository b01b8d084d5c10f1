import { dressInstead, OwnNames } from '../downstream/dressed-reply.ts'
import type { Exchange } from '../downstream/exchange.ts'
import { ANSWERED, type Gate, type Verdict } from '../gate/gate.ts'
import { currentDate } from '../http/current-date.ts'
import { fieldOf } from '../http/request-fields.ts'
import { AllowedOrigins } from './allowed-origins.ts'
import { PreflightError } from './errors.ts'
import type { CorsOptions } from './options.ts'

/** Fields of answers that say what pages of other origins may do (https://fetch.spec.whatwg.org/#http-responses). */
const RESPONSE_NAMES = [
  'access-control-allow-origin',
  'access-control-allow-credentials',
  'access-control-allow-methods',
  'access-control-allow-headers',
  'access-control-allow-private-network',
  'access-control-expose-headers',
  'access-control-max-age',
]

/** What a page asks to send: a list of names of fields, of a length that servers take. */
const ASKED = /^[A-Za-z0-9!#$%&'*+.^_`|~, \t-]{1,2048}$/

/**
 * CORS of a route (https://fetch.spec.whatwg.org/#http-cors-protocol). It answers preflights, which carry no credentials,
 * before anybody asks for some; every other answer, a problem as well, says what its page may do with it. What an upstream
 * says of that itself is left out: two that speak of it are one too many for browsers.
 *
 * Its fields are written outside of the cache, so that one stored answer serves every origin.
 */
class CorsGate implements Gate {
  readonly step = 'cors'
  readonly description: string
  readonly #options: CorsOptions
  readonly #origins: AllowedOrigins
  readonly #names = new OwnNames(RESPONSE_NAMES)
  /** Of answers to requests of origins that are not allowed, and to those without one. */
  readonly #others: readonly string[]

  constructor(options: CorsOptions) {
    this.#options = options
    this.#origins = new AllowedOrigins(options.origin)
    this.#others = this.#isSame ? this.#allowing('*') : ['vary', 'origin']
    this.description = inWords(options)
  }

  check(exchange: Exchange): Verdict {
    const { kept } = exchange.fields
    const origin = fieldOf(kept, 'origin')
    const isAllowed = origin !== undefined && this.#origins.has(origin)
    const said = isAllowed && !this.#isSame ? [...this.#allowing(origin), 'vary', 'origin'] : this.#others
    const isOptions = exchange.method === 'OPTIONS'
    if (isOptions && origin !== undefined && fieldOf(kept, 'access-control-request-method') !== undefined) {
      dressInstead(exchange, this.#names, [...said, ...this.#permissions(exchange, isAllowed)])
      this.#answer(exchange)
      return ANSWERED
    }
    dressInstead(exchange, this.#names, said)
    return isOptions && this.#options.strictPreflight ? new PreflightError() : undefined
  }

  /** All origins get the same. */
  get #isSame(): boolean {
    return this.#options.origin === '*'
  }

  #allowing(origin: string): string[] {
    const { credentials, exposedHeaders } = this.#options
    const fields = ['access-control-allow-origin', origin]
    if (credentials) fields.push('access-control-allow-credentials', 'true')
    if (exposedHeaders.length > 0) fields.push('access-control-expose-headers', exposedHeaders.join(', '))
    return fields
  }

  #answer(exchange: Exchange): void {
    const { optionsSuccessStatus: status } = this.#options
    exchange.status = status
    const fields = ['date', currentDate(), 'x-request-id', exchange.requestId]
    exchange.reply.head(status, fields, 0)
    exchange.reply.end()
  }

  #permissions({ fields: { kept } }: Exchange, isAllowed: boolean): string[] {
    const { methods, allowedHeaders, maxAgeS } = this.#options
    const vary = allowedHeaders === null ? ['vary', 'access-control-request-headers'] : []
    if (!isAllowed) return vary
    const fields = [...vary, 'access-control-allow-methods', methods.join(', ')]
    const asked = fieldOf(kept, 'access-control-request-headers')
    const allowed = allowedHeaders?.join(', ') ?? (asked !== undefined && ASKED.test(asked) ? asked : '')
    if (allowed !== '') fields.push('access-control-allow-headers', allowed)
    if (maxAgeS !== null) fields.push('access-control-max-age', String(maxAgeS))
    return fields
  }
}

function inWords({ origin, methods, credentials }: CorsOptions): string {
  const who = typeof origin === 'object' ? (origin.length === 0 ? 'no other origin' : origin.join(', ')) : 'any origin'
  return `pages of ${who} may use ${methods.join(', ')}${credentials ? ', with credentials' : ''}`
}

/** The gate of a route with `cors`. */
export function corsGate({ cors }: { cors: CorsOptions | null }): Gate | null {
  return cors === null ? null : new CorsGate(cors)
}
