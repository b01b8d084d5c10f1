import { TrustedProxies } from '../downstream/trust.ts'
import { type GatewayError, withFields } from '../http/problem.ts'
import { MaintenanceAllowError, MaintenanceError } from './errors.ts'
import type { MaintenanceOptions } from './options.ts'
import type { MaintenanceReport } from './report.ts'

/** A route, and whether it is in maintenance from the start. */
export interface MaintainedRoute {
  key: string
  maintenance: boolean
}

/** What is said of the gateway as a whole, in the place of a route's key, which is never empty. */
const GATEWAY = ''

/**
 * Which routes are in maintenance: what the configuration says, and what was said since over it. One that takes the place of
 * another keeps what was said, where the configuration says the same of it as before.
 */
export class Maintenance {
  /** Something is: the one thing that a request looks at. */
  active = false
  readonly options: MaintenanceOptions
  readonly #routes: ReadonlyMap<string, boolean>
  readonly #said = new Map<string, boolean>()
  readonly #allowed: TrustedProxies
  #gateway = false
  #inMaintenance: ReadonlySet<string> = new Set()

  /** @throws HR_MAINTENANCE_ALLOW */
  constructor(options: MaintenanceOptions, routes: readonly MaintainedRoute[], previous: Maintenance | null = null) {
    this.options = options
    this.#routes = new Map(routes.map(({ key, maintenance }) => [key, maintenance]))
    this.#allowed = allowed(options.allow)
    if (previous !== null) this.#recall(previous)
    this.#refresh()
  }

  /** Whether a request is answered 503. */
  holds(key: string, clientAddress: string): boolean {
    return (this.#gateway || this.#inMaintenance.has(key)) && !this.#allowed.includes(clientAddress)
  }

  /** The answer. */
  refusal(): GatewayError {
    return withFields(new MaintenanceError(), ['retry-after', String(Math.ceil(this.options.retryAfterMs / 1000))])
  }

  /** @param route its key, `null` for all; of one that there is not, nothing is kept */
  set(route: string | null, enabled: boolean): void {
    const key = route ?? GATEWAY
    if (this.#configured(key) === undefined) return
    this.#said.set(key, enabled)
    this.#refresh()
  }

  report(): MaintenanceReport {
    return { gateway: this.#gateway, routes: [...this.#inMaintenance], known: [...this.#routes.keys()] }
  }

  #recall(previous: Maintenance): void {
    for (const [key, enabled] of previous.#said) {
      if (previous.#configured(key) === this.#configured(key)) this.#said.set(key, enabled)
    }
  }

  #configured(key: string): boolean | undefined {
    return key === GATEWAY ? this.options.enabled : this.#routes.get(key)
  }

  #isIn(key: string): boolean {
    return this.#said.get(key) ?? this.#configured(key) ?? false
  }

  #refresh(): void {
    this.#gateway = this.#isIn(GATEWAY)
    this.#inMaintenance = new Set([...this.#routes.keys()].filter((key) => this.#isIn(key)))
    this.active = this.#gateway || this.#inMaintenance.size > 0
  }
}

function allowed(entries: readonly string[]): TrustedProxies {
  for (const entry of entries) {
    try {
      new TrustedProxies([entry])
    } catch (cause) {
      throw new MaintenanceAllowError(entry, { cause })
    }
  }
  return new TrustedProxies(entries)
}
