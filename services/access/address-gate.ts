import type { Exchange } from '../downstream/exchange.ts'
import { TrustedProxies } from '../downstream/trust.ts'
import type { Gate, Verdict } from '../gate/gate.ts'
import { AddressBlockError, AddressRefusedError } from './errors.ts'
import type { RouteAccessOptions } from './route/options.ts'

/** Whether a request's client address may call, before anybody looks at credentials. */
export class AddressGate implements Gate {
  readonly step = 'address'
  readonly description: string
  readonly #allow: TrustedProxies | null
  readonly #deny: TrustedProxies

  /** @throws HR_ACCESS_ADDRESS_BLOCK */
  constructor({ allow, deny }: RouteAccessOptions['addresses']) {
    this.#allow = allow.length === 0 ? null : blocksOf(allow)
    this.#deny = blocksOf(deny)
    const parts = [
      ...(allow.length > 0 ? [`from ${list(allow)}`] : []),
      ...(deny.length > 0 ? [`not from ${list(deny)}`] : []),
    ]
    this.description = parts.join(', ')
  }

  check({ clientAddress }: Exchange): Verdict {
    const isIn = (this.#allow === null || this.#allow.includes(clientAddress)) && !this.#deny.includes(clientAddress)
    return isIn ? undefined : new AddressRefusedError()
  }
}

const MOST_TOLD = 5

function list(blocks: readonly string[]): string {
  const shown = blocks.slice(0, MOST_TOLD).join(', ')
  return blocks.length > MOST_TOLD ? `${shown} and ${blocks.length - MOST_TOLD} more` : shown
}

function blocksOf(entries: readonly string[]): TrustedProxies {
  for (const entry of entries) {
    try {
      new TrustedProxies([entry])
    } catch (cause) {
      throw new AddressBlockError(entry, { cause })
    }
  }
  return new TrustedProxies(entries)
}
