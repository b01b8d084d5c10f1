/**
 * Whether a page may connect (RFC 6455 §10.2): browsers connect to anything, with the user's cookies, and say in Origin only
 * which page it was. Clients that are no browser send none.
 *
 * @param origin as received; `undefined` without one
 * @param authority the host, and port, that the client has asked for
 * @param allowed further origins in lower case; `*` for any
 */
export function mayConnect(origin: string | undefined, authority: string, allowed: readonly string[]): boolean {
  if (origin === undefined || allowed.includes('*')) return true
  const written = origin.toLowerCase()
  if (allowed.includes(written)) return true
  if (!URL.canParse(written)) return false
  const { host, protocol } = new URL(written)
  // The gateway may not know the scheme that the client sees: a proxy before it may have ended TLS.
  return /^https?:$/.test(protocol) && host !== '' && sameHost(host, authority, protocol)
}

function sameHost(host: string, authority: string, protocol: string): boolean {
  return URL.canParse(`${protocol}//${authority}`) && new URL(`${protocol}//${authority}`).host === host
}
