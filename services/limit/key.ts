import { hash } from 'node:crypto'
import type { Exchange } from '../downstream/exchange.ts'
import { subnetOf } from './subnet.ts'

/** Longer values are told apart by their beginnings. */
const LONGEST = 256
/** In no field, no address: what a request lacks its address stands for, and nobody can say so of another's. */
const IN_PLACE = '\0'

type Part = (exchange: Exchange, route: string) => string

/** Who shares a limit, as one text for each. */
export class LimitKey {
  readonly by: readonly string[]
  /** Whether it is known only once the caller is. */
  readonly ofIdentity: boolean
  readonly #parts: readonly Part[]

  constructor(by: readonly string[], ipv6Subnet: number) {
    this.by = by
    this.ofIdentity = by.some((part) => part === 'consumer' || part.startsWith('claim:'))
    this.#parts = by.map((part) => partOf(part, ipv6Subnet))
  }

  of(exchange: Exchange, route: string): string {
    const parts = this.#parts
    let key = (parts[0] as Part)(exchange, route)
    for (let i = 1; i < parts.length; i++) key += `\n${(parts[i] as Part)(exchange, route)}`
    return key
  }

  /** For people: what a field or a claim says may be a credential, and is told by a digest. */
  shown(key: string): string {
    return key
      .split('\n')
      .map((text, index) => {
        const by = this.by[index] ?? ''
        if (text.startsWith(IN_PLACE)) return `ip ${text.slice(1)}`
        const isPublic = by === 'ip' || by === 'route' || by === 'consumer'
        return `${by} ${isPublic ? text : `#${hash('sha256', text).slice(0, 12)}`}`
      })
      .join(', ')
  }
}

function partOf(by: string, ipv6Subnet: number): Part {
  const address: Part = ({ clientAddress }) => subnetOf(clientAddress, ipv6Subnet)
  const orAddress = (text: string | undefined, exchange: Exchange): string =>
    text === undefined ? IN_PLACE + address(exchange, '') : text.slice(0, LONGEST)
  if (by === 'ip') return address
  if (by === 'route') return (_exchange, route) => route
  if (by === 'consumer') return (exchange) => orAddress(exchange.identity?.id, exchange)
  const name = by.slice(by.indexOf(':') + 1)
  if (by.startsWith('claim:')) return (exchange) => orAddress(claimOf(exchange, name), exchange)
  return (exchange) => orAddress(fieldOf(exchange, name), exchange)
}

function claimOf({ identity }: Exchange, name: string): string | undefined {
  const value = identity?.claims[name]
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}

/** All lines of a field. @param name in lower case */
function fieldOf({ fields, host }: Exchange, name: string): string | undefined {
  // As it was routed: in any case, and with any port, it is the same one.
  if (name === 'host') return host === '' ? undefined : host
  const { kept } = fields
  let value: string | undefined
  for (let i = 0; i < kept.length; i += 2) {
    const other = kept[i] as string
    if (other.length !== name.length || other.toLowerCase() !== name) continue
    value = value === undefined ? kept[i + 1] : `${value},${kept[i + 1]}`
  }
  return value
}
