import { lookup, Resolver as DnsResolver } from 'node:dns/promises'
import { NoAddressError } from '../errors.ts'

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
  /** What its name leads to; without, whoever connects to it finds out. */
  addresses?: readonly string[]
}

/** Letters, digits, hyphens; underscores, which are no rarer in the names of a registry. */
const HOST_NAME = /^[\w-]+(?:\.[\w-]+)*\.?$/

/**
 * Whether requests can be sent to a server. A service that is not to be had says so by one whose name is the root's
 * (RFC 2782); and of what name servers say, nothing is to be anything else in a URL.
 */
export function isUsable({ name, port }: ServiceRecord): boolean {
  return port > 0 && HOST_NAME.test(name) && URL.canParse(`http://${name}:${port}`)
}

/** Where names are looked up. Both throw where there is no answer. */
export interface Resolver {
  addresses(name: string): Promise<Addresses>
  services(name: string): Promise<readonly ServiceRecord[]>
}

const QUERY = { timeout: 2_000, tries: 2 }

/**
 * The machine's name servers, which say how long an answer holds; then, for what they do not know, what the machine does
 * with a name: /etc/hosts, search domains. IPv6 addresses are used where there are no others, because a host with both is
 * one host.
 */
export function systemResolver(): Resolver {
  const dns = new DnsResolver(QUERY)
  return {
    async addresses(name) {
      const known = await ask(dns, name)
      if (!(known instanceof Error)) return known
      const found = await lookup(name, { all: true })
      const family = found.some((one) => one.family === 4) ? 4 : 6
      return { addresses: found.filter((one) => one.family === family).map(({ address }) => address), ttlMs: null }
    },
    services: (name) => dns.resolveSrv(name),
  }
}

/**
 * Name servers that are asked in place of the machine's, such as a service registry's: what they do not know is not looked up
 * elsewhere, and they say as well where the servers of a service are.
 *
 * @param servers `10.0.0.2`, `10.0.0.2:8600`, `[fd00::2]:8600`
 * @throws TypeError where one is no address
 */
export function nameServerResolver(servers: readonly string[]): Resolver {
  const dns = new DnsResolver(QUERY)
  dns.setServers(servers)
  const addresses = async (name: string): Promise<Addresses> => {
    const known = await ask(dns, name)
    if (known instanceof Error) throw known
    return known
  }
  return {
    addresses,
    async services(name) {
      const records = (await dns.resolveSrv(name)).filter(isUsable)
      const found = await Promise.allSettled(
        records.map(async (record) => ({ ...record, ...(await addresses(record.name)) })),
      )
      const servers = found.filter((one) => one.status === 'fulfilled').map(({ value }) => value)
      // One whose name leads nowhere is no reason to leave the others.
      const failure = found.find((one) => one.status === 'rejected')
      if (servers.length === 0 && failure !== undefined) throw failure.reason
      return servers
    },
  }
}

/** What a name server says of a name that has no addresses of a kind: a failure to answer says nothing. */
const NONE: ReadonlySet<string | undefined> = new Set(['ENODATA', 'ENOTFOUND'])

/**
 * @returns why there is nothing, where both kinds of addresses have failed, or nobody has said of the first that there are
 *   none: the second are not used in the place of what could not be asked
 */
async function ask(dns: DnsResolver, name: string): Promise<Addresses | Error> {
  const [four, six] = await Promise.allSettled([dns.resolve4(name, { ttl: true }), dns.resolve6(name, { ttl: true })])
  if (four.status === 'rejected' && !NONE.has((four.reason as NodeJS.ErrnoException).code)) return four.reason as Error
  const records = [four, six].map((settled) => (settled.status === 'fulfilled' ? settled.value : []))
  const known = records.find((found) => found.length > 0)
  if (known === undefined) return four.status === 'rejected' ? (four.reason as Error) : new NoAddressError(name)
  return { addresses: known.map(({ address }) => address), ttlMs: Math.min(...known.map(({ ttl }) => ttl)) * 1000 }
}
