import { isIPv6 } from 'node:net'
import type { TargetOptions } from './balance/options.ts'

/** A target that requests can be sent to, and its part of them. */
export interface TargetSpec {
  /** What it is called and known by: `http://10.0.0.5:8080`, `h2c://10.0.0.5:50051`, `unix:/path`. */
  url: string
  /** What it is connected to, asked for and verified as; the same, but for an address that a name has led to. */
  origin: string
  /** Connected to instead of the host of `origin`; `null`: that host. */
  address: string | null
  weight: number
  /** Used only while none of a lower number can be. */
  priority: number
}

/** Above every priority of SRV records (RFC 2782). */
const BACKUP = 65_536

/** The target that an origin is. */
export function specOf({ url, origin, weight, backup }: TargetOptions): TargetSpec {
  return { url, origin, address: null, weight, priority: priorityOf(backup) }
}

/** An address that the name of a `dns+` target leads to. */
export function addressSpec(target: TargetOptions, address: string): TargetSpec {
  return at(specOf(target), address, target.weight)
}

/** One of the addresses that the host of a target leads to: known by it, and still asked for by its name. */
export function at({ origin, priority }: TargetSpec, address: string, weight: number): TargetSpec {
  const url = new URL(origin)
  const port = url.port === '' ? '' : `:${url.port}`
  const host = isIPv6(address) ? `[${address}]` : address
  return { url: `${url.protocol}//${host}${port}`, origin, address, weight, priority }
}

export function priorityOf(backup: boolean): number {
  return backup ? BACKUP : 0
}
