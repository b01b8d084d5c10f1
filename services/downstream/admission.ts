import { METHODS } from 'node:http'
import { canonicalTarget } from '../http/canonical-path.ts'
import {
  AmbiguousPathError,
  BodyTooLargeError,
  EncodedSlashError,
  HostError,
  LoopError,
  MethodNotAllowedError,
  TargetError,
} from '../http/errors.ts'
import { parseAuthority } from '../http/host.ts'
import { fieldOf } from '../http/request-fields.ts'
import { type GatewayError, withFields } from '../http/problem.ts'
import type { RoutePattern } from '../routing/pattern.ts'
import type { Match, RouteTable } from '../routing/table.ts'
import { guardedReading } from './ambiguity.ts'
import type { Exchange } from './exchange.ts'
import type { Forwarding } from './forwarding.ts'
import { METHOD_OVERRIDES } from './method-overrides.ts'
import type { ReservedFields } from './reserved-fields.ts'
import { refuseFraming } from './framing.ts'

/** What admission needs to know of a route. */
export interface Admissible {
  pattern: RoutePattern
  encodedSlash: 'opaque' | 'refuse'
  /** What guards it, empty for nothing: a path must not reach, read in another way, what has another guard. */
  guard: string
  /** It answers preflights for its methods: OPTIONS of a browser that asks for one of them is its own. */
  preflights: boolean
}

export interface AdmissionOptions<Plan extends Admissible> {
  forwarding: Forwarding
  table: RouteTable<Plan>
  bodyBytes: number
  /** What clients may not send, and is dropped; `null`: nothing. */
  reserved?: ReservedFields | null
  /** The guard on a path that Fastify serves itself (the control plane, where it is shared); empty for none. */
  ownGuard: (path: string) => string
}

const MOST_PASSES = 8

/**
 * The first steps of every request, the same for the lane and for Fastify: canonicalise → forwarded → request id →
 * route. Anything that two readers could understand differently is refused here, before anybody acts on it.
 */
export class Admission<Plan extends Admissible> {
  readonly #options: AdmissionOptions<Plan>
  /** Routes are told apart by methods, and some have a guard: another method may be another's to use. */
  readonly #isByMethod: boolean

  constructor(options: AdmissionOptions<Plan>) {
    const { routes } = options.table
    this.#options = options
    this.#isByMethod =
      routes.some(({ pattern }) => pattern.methods !== null) && routes.some(({ guard }) => guard !== '')
  }

  /** Fills the exchange. @returns why it is refused (the connection must then be closed), or `undefined` */
  admit(exchange: Exchange<Plan>): GatewayError | undefined {
    const { forwarding, reserved } = this.#options
    reserved?.drop(exchange.fields.kept)
    forwarding.identify(exchange)
    return (
      refuseFraming(exchange.fields, exchange.protocol) ??
      this.#target(exchange) ??
      this.#limits(exchange) ??
      this.#loop(exchange)
    )
  }

  /** Finds the route. @returns why the request cannot be routed; a path that no route takes, and `*`, leave `plan` empty */
  route(exchange: Exchange<Plan>): GatewayError | undefined {
    if (exchange.path === '*') return undefined
    const { table } = this.#options
    const found = this.#preflighted(exchange) ?? table.match(exchange.method, exchange.host, exchange.path)
    if (found === undefined) {
      const lookup = table.lookup(exchange.method, exchange.host, exchange.path)
      if (lookup.kind !== 'method') return undefined
      const allow = lookup.allow.join(', ')
      return withFields(new MethodNotAllowedError(allow), ['allow', allow])
    }
    // TRACE sends back what it got, credentials too: only where a route names it (RFC 9110 §9.3.8).
    if (exchange.method === 'TRACE' && found.route.pattern.methods === null)
      return new MethodNotAllowedError('no TRACE here')
    exchange.plan = found.route
    exchange.parameters = found.parameters
    if (this.#isByMethod && this.#mayBeOverridden(exchange, found.route)) METHOD_OVERRIDES.drop(exchange.fields.kept)
    return this.#ambiguity(exchange, found.route)
  }

  /** A preflight asks about a request to come: it is for that one's route, where the route speaks of CORS. */
  #preflighted({ method, fields, host, path }: Exchange<Plan>): Match<Plan> | undefined {
    if (method !== 'OPTIONS') return undefined
    const wanted = fieldOf(fields.kept, 'access-control-request-method')
    if (wanted === undefined || fieldOf(fields.kept, 'origin') === undefined) return undefined
    const found = this.#options.table.match(wanted, host, path)
    return found?.route.preflights === true ? found : undefined
  }

  #target(exchange: Exchange<Plan>): GatewayError | undefined {
    const { fields } = exchange
    let { target } = exchange
    let host = fields.host
    if (fields.hostCount > 1) return new HostError('stands more than once, or disagrees with :authority')
    if (target.charCodeAt(0) !== 0x2f) {
      if (target === '*' && exchange.method === 'OPTIONS') {
        // It asks about the server as a whole (RFC 9110 §9.3.7): that is the gateway, and no route's upstream.
        exchange.path = '*'
      } else {
        // Absolute form: its authority takes the place of Host (RFC 9112 §3.2.2); where it goes, the routes decide.
        const absolute = /^https?:\/\/([^/?#]*)([^]*)$/i.exec(target)
        if (absolute === null) return new TargetError('is not a path')
        host = absolute[1] as string
        const rest = absolute[2] as string
        target = rest.startsWith('/') ? rest : `/${rest}`
      }
    }
    if (host === undefined) {
      if (exchange.protocol !== '1.0') return new HostError('is missing')
    } else {
      const authority = parseAuthority(host)
      if (authority === undefined) return new HostError(host === '' ? 'is empty' : 'is malformed')
      exchange.authority = authority.authority
      exchange.host = authority.name
    }
    if (exchange.path === '*') return undefined
    const canonical = canonicalTarget(target)
    if (typeof canonical === 'string') return new TargetError(canonical)
    exchange.path = canonical.path
    exchange.query = canonical.query
    exchange.lax = canonical.lax
    return undefined
  }

  #limits(exchange: Exchange<Plan>): GatewayError | undefined {
    const { bodyBytes } = this.#options
    const { contentLength } = exchange.fields
    if (contentLength !== undefined && Number(contentLength) > bodyBytes) return new BodyTooLargeError(bodyBytes)
    return undefined
  }

  #loop(exchange: Exchange<Plan>): GatewayError | undefined {
    if (exchange.fields.via === undefined) return undefined
    const passes = this.#options.forwarding.passes(exchange)
    exchange.passes = passes
    return passes < MOST_PASSES ? undefined : new LoopError(passes)
  }

  /** Whether it names another method, and some other method has another guard there. */
  #mayBeOverridden({ fields, host, path }: Exchange<Plan>, { guard }: Plan): boolean {
    if (!METHOD_OVERRIDES.isIn(fields.kept)) return false
    return METHODS.some((method) => {
      const other = this.#options.table.match(method, host, path)?.route.guard ?? ''
      return other !== '' && other !== guard
    })
  }

  #ambiguity(exchange: Exchange<Plan>, plan: Plan): GatewayError | undefined {
    const { path } = exchange
    if (!exchange.lax) return undefined
    if (plan.encodedSlash === 'refuse' && path.includes('%2F')) return new EncodedSlashError()
    const { table, ownGuard } = this.#options
    const reading = guardedReading(path, plan.guard, (other) => {
      return ownGuard(other) || (table.match(exchange.method, exchange.host, other)?.route.guard ?? '')
    })
    return reading === undefined ? undefined : new AmbiguousPathError()
  }
}
