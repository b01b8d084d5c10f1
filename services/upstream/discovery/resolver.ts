import { lookup, Resolver as DnsResolver } from 'node:dns/promises'

/** What a name leads to. */
export interface Addresses {
  addresses: readonly string[]
  /** How long they hold; `null` where nobody says. */
  ttlMs: number | null
}

/** A server of a service (RFC 2782). */
export interface ServiceRecord {
  name: string
  port: number
  priority: number
  weight: number
}

/** Where names are looked up. Both throw where there is no answer. */
export interface Resolver {
  addresses(name: string): Promise<Addresses>
  services(name: string): Promise<readonly ServiceRecord[]>
}

const QUERY_LIMIT_MS = 2_000

/**
 * The machine's name servers, which say how long an answer holds; then, for what they do not know, what the machine does
 * with a name: /etc/hosts, search domains. IPv6 addresses are used where there are no others, because a host with both is
 * one host.
 */
export function systemResolver(): Resolver {
  const dns = new DnsResolver({ timeout: QUERY_LIMIT_MS, tries: 2 })
  return {
    async addresses(name) {
      const [four, six] = await Promise.allSettled([
        dns.resolve4(name, { ttl: true }),
        dns.resolve6(name, { ttl: true }),
      ])
      const records = [four, six].map((settled) => (settled.status === 'fulfilled' ? settled.value : []))
      const known = records.find((found) => found.length > 0)
      if (known !== undefined) {
        return {
          addresses: known.map(({ address }) => address),
          ttlMs: Math.min(...known.map(({ ttl }) => ttl)) * 1000,
        }
      }
      const found = await lookup(name, { all: true })
      const family = found.some((one) => one.family === 4) ? 4 : 6
      return { addresses: found.filter((one) => one.family === family).map(({ address }) => address), ttlMs: null }
    },
    services: (name) => dns.resolveSrv(name),
  }
}
