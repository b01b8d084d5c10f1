import type { Exchange } from '../downstream/exchange.ts'
import { TrustedProxies } from '../downstream/trust.ts'
import { AllowListError } from './errors.ts'

const CONSUMER = 'consumer:'
/** No consumer has this name. */
const EVERY_CONSUMER = '*'

/** Whom a limit does not hold for. */
export class AllowList {
  readonly ofIdentity: boolean
  readonly #addresses: TrustedProxies
  readonly #consumers: ReadonlySet<string>
  readonly #empty: boolean

  /** @throws HR_RATE_ALLOW_LIST */
  constructor(entries: readonly string[]) {
    const consumers = entries.filter((entry) => entry.startsWith(CONSUMER))
    this.#consumers = new Set(consumers.map((entry) => entry.slice(CONSUMER.length)))
    this.#addresses = addresses(entries.filter((entry) => !entry.startsWith(CONSUMER)))
    this.ofIdentity = consumers.length > 0
    this.#empty = entries.length === 0
  }

  includes({ clientAddress, identity }: Exchange): boolean {
    if (this.#empty) return false
    const consumer = identity?.consumer ?? null
    return (consumer !== null && this.#hasConsumer(consumer)) || this.#addresses.includes(clientAddress)
  }

  #hasConsumer(name: string): boolean {
    return this.#consumers.has(name) || this.#consumers.has(EVERY_CONSUMER)
  }
}

function addresses(entries: readonly string[]): TrustedProxies {
  for (const entry of entries) {
    try {
      new TrustedProxies([entry])
    } catch (cause) {
      throw new AllowListError(entry, { cause })
    }
  }
  return new TrustedProxies(entries)
}
