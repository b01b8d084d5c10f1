import type { Exchange } from '../downstream/exchange.ts'

/** Where lines go. */
export interface AuditLog {
  info(details: object, message: string): void
}

export interface AuditOptions {
  enabled: boolean
  /** Lines a second. */
  perSecond: number
}

/**
 * A line for each request that a gate has turned away: which route, from where, who it was as far as that was shown, and
 * why. Nothing that the client has written is in it, neither path nor query nor any field: a line can hold no credential.
 * More lines than so many a second are left out, and counted in the next one.
 */
export class Audit {
  readonly #log: AuditLog
  readonly #options: AuditOptions
  readonly #now: () => number
  #second = -1
  #written = 0
  #leftOut = 0

  /** @param now milliseconds since 1970 */
  constructor(log: AuditLog, options: AuditOptions, now: () => number) {
    this.#log = log
    this.#options = options
    this.#now = now
  }

  /** @param exchange one that a gate has refused, and which is over */
  denied({ plan, clientAddress, identity, denied, code, requestId, method, status }: Exchange<{ key: string }>): void {
    if (!this.#options.enabled || !this.#hasRoom()) return
    const leftOut = this.#leftOut
    this.#leftOut = 0
    this.#log.info(
      {
        audit: 'denied',
        route: plan?.key ?? null,
        method,
        client: clientAddress,
        consumer: identity?.id ?? null,
        step: denied,
        code,
        status,
        requestId,
        ...(leftOut > 0 && { leftOut }),
      },
      'request denied',
    )
  }

  #hasRoom(): boolean {
    const second = Math.floor(this.#now() / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#written = 0
    }
    if (this.#written < this.#options.perSecond) {
      this.#written++
      return true
    }
    this.#leftOut++
    return false
  }
}
