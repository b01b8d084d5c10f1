import { BlockList, isIP, SocketAddress } from 'node:net'
import createError from '@fastify/error'
import type { ForwardedElement } from './forwarded.ts'

/** An entry of `forwarded.trust` that is neither address, block nor known word. */
export const TrustError = createError(
  'HR_FORWARDED_TRUST',
  "forwarded.trust has '%s': write an address, a CIDR block such as 10.0.0.0/8, 'loopback' or 'private'",
  500,
)

const WORDS: Record<string, string[]> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7', 'fe80::/10', '169.254.0.0/16'],
}

/** A prefix that is left out after its slash is a slip: read as 0, it would trust everybody. */
const BLOCK = /^([^/]+)(?:\/(\d{1,3}))?$/

/** Where a request comes from, as far as trusted proxies say it. */
export interface Origin {
  address: string
  host: string | undefined
  proto: string | undefined
}

/** The proxies whose forwarding fields are believed. */
export class TrustedProxies {
  readonly #list = new BlockList()
  readonly #empty: boolean

  /** @throws HR_FORWARDED_TRUST */
  constructor(entries: readonly string[]) {
    this.#empty = entries.length === 0
    for (const entry of entries.flatMap((word) => WORDS[word] ?? [word])) {
      const [, address = '', prefix] = BLOCK.exec(entry) ?? []
      const family = isIP(address)
      const longest = family === 6 ? 128 : 32
      const bits = prefix === undefined ? longest : Number(prefix)
      if (family === 0 || bits > longest) throw new TrustError(entry)
      this.#list.addSubnet(address, bits, family === 6 ? 'ipv6' : 'ipv4')
    }
  }

  includes(address: string): boolean {
    if (this.#empty) return false
    const family = isIP(address)
    return family !== 0 && this.#list.check(address, family === 6 ? 'ipv6' : 'ipv4')
  }

  /**
   * The client behind a chain of trusted proxies: the rightmost address of X-Forwarded-For that is not trusted.
   * What is no address ends the walk: nothing to its left can be believed.
   */
  clientOf(peerAddress: string, forwardedFor: string | undefined): string {
    if (forwardedFor === undefined) return peerAddress
    let client = peerAddress
    const chain = forwardedFor.split(',')
    for (let i = chain.length - 1; i >= 0 && this.includes(client); i--) {
      const address = bareAddress(chain[i] as string)
      if (address === undefined) break
      client = address
    }
    return client
  }

  /**
   * The same walk over Forwarded: `unknown`, obfuscated identifiers and elements without `for` end it. Host and scheme
   * are those of the outermost trusted proxy that names them.
   *
   * @param elements the nearest first
   */
  originOf(peerAddress: string, elements: readonly ForwardedElement[]): Origin {
    const origin: Origin = { address: peerAddress, host: undefined, proto: undefined }
    for (let i = 0; i < elements.length && this.includes(origin.address); i++) {
      const element = elements[i] as ForwardedElement
      origin.host = element.host ?? origin.host
      origin.proto = element.proto ?? origin.proto
      const address = element.for === undefined ? undefined : bareAddress(element.for)
      if (address === undefined) break
      origin.address = address
    }
    return origin
  }
}

/** The address in `1.2.3.4`, `1.2.3.4:567`, `2001:db8::1`, `[2001:db8::1]:567`, quoted or not; a port may be `_hidden`. */
function bareAddress(text: string): string | undefined {
  const trimmed = text.trim().replace(/^"|"$/g, '')
  const bracketed = /^\[([^\]]+)\](?::[\w.-]+)?$/.exec(trimmed)
  const address =
    bracketed?.[1] ?? (/^[\d.]+:[\w.-]+$/.test(trimmed) ? trimmed.slice(0, trimmed.indexOf(':')) : trimmed)
  const family = isIP(address)
  return family === 0 ? undefined : family === 4 ? address : canonical(address)
}

/** One address is one text, as the system writes those of connections: what goes by address goes by this. IPv4 in IPv6 is IPv4. */
function canonical(ipv6: string): string {
  const { address } = new SocketAddress({ address: ipv6, family: 'ipv6' })
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}
