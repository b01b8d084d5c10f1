import type { Exchange } from '../downstream/exchange.ts'
import type { Identity } from '../downstream/identity.ts'
import { METHOD_OVERRIDES } from '../downstream/method-overrides.ts'
import { ANSWERED, type Gate, type Verdict } from '../gate/gate.ts'
import type { GatewayError } from '../http/problem.ts'
import type { AccessCounters } from './counters.ts'
import { isEntitled } from './entitlement.ts'
import { CredentialsMissingError, ForbiddenError, KeyInQueryError } from './errors.ts'
import type { FailedCredentials } from './failed-credentials.ts'
import type { IdentityFields } from './identity-fields.ts'
import { holdsKey } from './key/key-in-url.ts'
import { withoutParameter } from './key/query-parameter.ts'
import type { KeySchemeOptions } from './options.ts'
import type { RouteAccessOptions } from './route/options.ts'
import type { Authentication, Authenticator } from './scheme.ts'

export interface AccessGateParts {
  /** In the order in which they are asked. */
  ways: readonly Authenticator[]
  fields: IdentityFields
  counters: AccessCounters
  failures: FailedCredentials
  /** Where keys are to stand. */
  keys: Pick<KeySchemeOptions, 'header' | 'query'>
}

/**
 * Who calls, and whether that may be. The first way that finds credentials decides; only where none does, and the route says
 * so, somebody passes as nobody.
 */
export class AccessGate implements Gate {
  readonly step = 'access'
  readonly description: string
  readonly #options: RouteAccessOptions
  readonly #parts: AccessGateParts
  /** It wants to know who calls, and nothing of them. */
  readonly #isForAll: boolean
  readonly #isByMethod: boolean
  /** Values of WWW-Authenticate. */
  readonly #challenges: readonly string[]

  constructor(options: RouteAccessOptions, parts: AccessGateParts) {
    this.#options = options
    this.#parts = parts
    const { scopes, groups, claims, allow, deny } = options
    this.#isForAll = [scopes, groups, claims, allow, deny].every(({ length }) => length === 0)
    this.#isByMethod = [...allow, ...deny].some(({ methods }) => methods.length > 0)
    const challenges = new Set(parts.ways.map(({ challenge }) => challenge).filter((challenge) => challenge !== null))
    this.#challenges = [...challenges]
    this.description = inWords(options)
  }

  check(exchange: Exchange): Verdict | Promise<Verdict> {
    const { query } = exchange
    if (query !== '' && holdsKey(query) && this.#isMisplaced(query)) return new KeyInQueryError(this.#parts.keys.header)
    return this.#ask(exchange, 0)
  }

  /** Whatever the ways of the route are: where none of them takes the key, it would go upstream. */
  #isMisplaced(query: string): boolean {
    const parameter = this.#parts.keys.query
    if (parameter === null || !this.#options.by.includes('key')) return true
    return holdsKey(withoutParameter(query, parameter))
  }

  #ask(exchange: Exchange, from: number): Verdict | Promise<Verdict> {
    const { ways, failures } = this.#parts
    for (let i = from; i < ways.length; i++) {
      const way = ways[i] as Authenticator
      if (failures.any && way.guesses?.(exchange) === true) {
        const refusal = failures.refusal(exchange)
        if (refusal !== undefined) return this.#unseen(exchange, refusal)
      }
      const found = way.authenticate(exchange)
      if (found === undefined) continue
      return found instanceof Promise ? this.#wait(exchange, found, i) : this.#settle(exchange, found, way)
    }
    return this.#letNobody(exchange)
  }

  async #wait(exchange: Exchange, promise: Promise<Authentication>, at: number): Promise<Verdict> {
    const found = await promise
    if (found === undefined) return await this.#ask(exchange, at + 1)
    return this.#settle(exchange, found, this.#parts.ways[at] as Authenticator)
  }

  /** Nobody has looked at what it shows: that is in no log either. */
  #unseen(exchange: Exchange, refusal: GatewayError): GatewayError {
    this.#conceal(exchange)
    return refusal
  }

  #settle(exchange: Exchange, found: Identity | GatewayError | typeof ANSWERED, way: Authenticator): Verdict {
    if (found === ANSWERED) return ANSWERED
    if (found instanceof Error) {
      const tooMany = way.isCounted === true ? this.#parts.failures.add(exchange, found) : undefined
      return tooMany ?? this.#challenged(found)
    }
    exchange.identity = found
    if (!this.#isForAll && !isEntitled(this.#options, exchange.method, found)) return new ForbiddenError()
    this.#conceal(exchange)
    if (this.#isByMethod) METHOD_OVERRIDES.drop(exchange.fields.kept)
    this.#parts.fields.addTo(exchange, found)
    this.#parts.counters.pass(found)
    return undefined
  }

  #letNobody(exchange: Exchange): Verdict {
    // Who shows something may be entitled yet: nobody is asked to, not turned away.
    if (!this.#options.anonymous || !isEntitled(this.#options, exchange.method, undefined)) {
      return this.#challenged(new CredentialsMissingError())
    }
    if (this.#isByMethod) METHOD_OVERRIDES.drop(exchange.fields.kept)
    this.#parts.counters.passNobody()
    return undefined
  }

  /** Credentials of any of the ways are the gateway's business, also of those that were not asked. */
  #conceal(exchange: Exchange): void {
    const { ways } = this.#parts
    for (let i = 0; i < ways.length; i++) (ways[i] as Authenticator).conceal?.(exchange)
  }

  /** Every way that there is, but for one that the error speaks of itself: it says more. */
  #challenged(error: GatewayError): GatewayError {
    if (error.statusCode !== 401) return error
    const own = error.fields ?? []
    const told = own.filter((_, i) => own[i - 1] === 'www-authenticate').map(schemeOf)
    const others = this.#challenges.filter((challenge) => !told.includes(schemeOf(challenge)))
    error.fields = [...own, ...others.flatMap((challenge) => ['www-authenticate', challenge])]
    return error
  }
}

/** `bearer` of `Bearer realm="…"` (RFC 9110 §11.6.1). */
function schemeOf(challenge: string): string {
  return (challenge.split(' ', 1)[0] as string).toLowerCase()
}

function inWords({ by, anonymous, scopes, groups, claims, allow, deny }: RouteAccessOptions): string {
  const ways = [...by, ...(anonymous ? ['anonymous'] : [])].join(', else ')
  const wanted = [
    ...(scopes.length > 0 ? [`scopes ${scopes.join(' and ')}`] : []),
    ...(groups.length > 0 ? [`group ${groups.join(' or ')}`] : []),
    ...claims.map(({ name, values }) => `claim ${name} ${values.join(' or ')}`),
    ...(allow.length > 0 ? [`${allow.length} permissions`] : []),
    ...(deny.length > 0 ? [`${deny.length} prohibitions`] : []),
  ]
  return wanted.length === 0 ? `by ${ways}` : `by ${ways}; with ${wanted.join(', ')}`
}
