/**
 * `h2c://host:port` is a target that is asked over HTTP/2 in cleartext, without asking it first whether it takes that (prior
 * knowledge, RFC 9113 §3.3). It is how other proxies write it; the messages themselves are of the scheme `http`.
 */
const SCHEME = 'h2c:'

/** @param origin of a target */
export function isPriorKnowledge(origin: string): boolean {
  return origin.startsWith(SCHEME)
}

/** The origin of a target as it is written, of the one that its messages name. */
export function asWritten(target: string, origin: string): string {
  return isPriorKnowledge(target) ? origin.replace('http:', SCHEME) : origin
}

/** The origin that a target's messages name, which `URL` understands: of `h2c:` it knows nothing. */
export function httpOrigin(origin: string): string {
  return isPriorKnowledge(origin) ? `http:${origin.slice(SCHEME.length)}` : origin
}
