/** A checked Host field or :authority (RFC 9110 §7.2, RFC 3986 §3.2). */
export interface Authority {
  /** Lower case, with the port where one was given: what upstreams are told. */
  authority: string
  /** Without port, brackets kept, without a trailing dot: what routes are matched against. */
  name: string
}

const AUTHORITY = /^([A-Za-z0-9._~!$&'()*+,=-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?$/
const KNOWN_LIMIT = 1024
const known = new Map<string, Authority>()

/**
 * Checks a Host field. `undefined` for everything that is not `name` or `name:port`: empty, a list, userinfo, a path.
 * The last few hosts are remembered (at most 1024), since a gateway serves few and is asked for them each time.
 */
export function parseAuthority(value: string): Authority | undefined {
  const seen = known.get(value)
  if (seen !== undefined) return seen
  const match = AUTHORITY.exec(value)
  if (match === null || value.length > 255 + 6 || Number(match[2] ?? 0) > 65535) return undefined
  const host = (match[1] as string).toLowerCase()
  if (host.includes(',') || host.startsWith('.') || host.includes('..')) return undefined
  const name = host.endsWith('.') ? host.slice(0, -1) : host
  const authority = { authority: match[2] === undefined ? host : `${host}:${match[2]}`, name }
  if (known.size >= KNOWN_LIMIT) known.clear()
  known.set(value, authority)
  return authority
}
