/**
 * One canonical path serves routing, access, the cache key and the upstream, so that no two of them can disagree about
 * what a request asks for (RFC 3986 §6.2.2; RFC 9110 §4.2.3).
 *
 * - dot segments are resolved, encoded ones too; those that leave the root are refused
 * - escapes of unreserved characters are decoded, the hex digits of the others are written in upper case
 * - `%2F` is opaque: neither decoded nor a separator; `//` and `;parameters` stay as they are
 * - NUL, backslash (encoded or not), control characters, `#` and broken escapes are refused
 * - characters that no URI may hold (`"<>^{|}` and bytes over 0x7F) are escaped
 */
export interface CanonicalTarget {
  path: string
  /** The query with its `?`, as received; empty without one. */
  query: string
  /** A lax reader may see another path in it: only then {@link laxReadings} finds any. */
  lax: boolean
}

/** Why a path is refused; the words go into the answer's `detail`. */
export type PathRefusal =
  | 'is not an absolute path'
  | 'contains a control character, a space or a fragment'
  | 'contains a backslash'
  | 'contains a NUL'
  | 'contains an invalid percent-escape'
  | 'leaves the root'

const PLAIN = 0
const DOT = 1
const ESCAPE = 2
const ENCODE = 3
const QUERY = 4
const BACKSLASH = 5
const REFUSE = 6
const SLASH = 7
const SEMICOLON = 8

/** What each character of a path needs; bytes over 0x7F are escaped. */
const CLASS = new Uint8Array(256).fill(ENCODE, 0x80)
CLASS.fill(REFUSE, 0, 0x21)
CLASS[0x7f] = REFUSE
for (const character of '"<>^`{|}') CLASS[character.charCodeAt(0)] = ENCODE
CLASS[0x2e] = DOT
CLASS[0x25] = ESCAPE
CLASS[0x3f] = QUERY
CLASS[0x23] = REFUSE
CLASS[0x5c] = BACKSLASH
CLASS[0x2f] = SLASH
CLASS[0x3b] = SEMICOLON

const LAX = /%2F|\/\/|;/
const UNRESERVED = /^[A-Za-z0-9\-._~]$/
const QUERY_REFUSED = /[\u0000-\u0020\u007f#]|[^\u0000-\u00ff]/

/** @param target the request target in origin form, one character a byte (latin1), as the parsers give it */
export function canonicalTarget(target: string): CanonicalTarget | PathRefusal {
  if (target.charCodeAt(0) !== 0x2f) return 'is not an absolute path'
  let end = target.length
  let plain = true
  let lax = false
  for (let i = 1; i < end; i++) {
    const code = target.charCodeAt(i)
    const kind = code < 256 ? CLASS[code] : REFUSE
    if (kind === PLAIN) continue
    if (kind === SLASH) {
      if (target.charCodeAt(i - 1) === 0x2f) lax = true
    } else if (kind === SEMICOLON) {
      lax = true
    } else if (kind === QUERY) {
      end = i
    } else if (kind === DOT) {
      if (target.charCodeAt(i - 1) === 0x2f) plain = false
    } else if (kind === REFUSE) {
      return 'contains a control character, a space or a fragment'
    } else if (kind === BACKSLASH) {
      return 'contains a backslash'
    } else {
      plain = false
    }
  }
  if (end === target.length) {
    if (plain) return { path: target, query: '', lax }
  } else if (QUERY_REFUSED.test(target.slice(end))) {
    return 'contains a control character, a space or a fragment'
  }
  const query = end === target.length ? '' : target.slice(end)
  if (plain) return { path: target.slice(0, end), query, lax }
  const decoded = normaliseEscapes(target.slice(0, end))
  if (decoded.refusal !== undefined) return decoded.refusal
  const path = resolveDotSegments(decoded.path)
  return path === undefined ? 'leaves the root' : { path, query, lax: LAX.test(path) }
}

function normaliseEscapes(path: string): { path: string; refusal?: undefined } | { refusal: PathRefusal } {
  let out = ''
  for (let i = 0; i < path.length; i++) {
    const code = path.charCodeAt(i)
    const kind = CLASS[code]
    if (kind === ENCODE) {
      out += `%${code.toString(16).toUpperCase().padStart(2, '0')}`
      continue
    }
    if (kind !== ESCAPE) {
      out += path[i]
      continue
    }
    const hex = path.slice(i + 1, i + 3)
    if (!/^[0-9A-Fa-f]{2}$/.test(hex)) return { refusal: 'contains an invalid percent-escape' }
    const byte = Number.parseInt(hex, 16)
    if (byte === 0) return { refusal: 'contains a NUL' }
    if (byte === 0x5c) return { refusal: 'contains a backslash' }
    const character = String.fromCharCode(byte)
    out += UNRESERVED.test(character) ? character : `%${hex.toUpperCase()}`
    i += 2
  }
  return { path: out }
}

/** RFC 3986 §5.2.4, except that leaving the root is an error; `undefined` then. */
function resolveDotSegments(path: string): string | undefined {
  if (!path.includes('/.')) return path
  const out: string[] = []
  const segments = path.split('/')
  for (let i = 1; i < segments.length; i++) {
    const segment = segments[i] as string
    const last = i === segments.length - 1
    if (segment === '..') {
      if (out.length === 0) return undefined
      out.pop()
      if (last) out.push('')
    } else if (segment === '.') {
      if (last) out.push('')
    } else {
      out.push(segment)
    }
  }
  return `/${out.join('/')}`
}

/**
 * The other paths that a lax upstream may see in a canonical one: `%2F` decoded, `//` merged, `;parameters` stripped,
 * each alone and all at once. `null` stands for a form that leaves the root. Empty for almost every path.
 */
export function laxReadings(path: string): (string | null)[] {
  if (!LAX.test(path)) return []
  const encodedSlash = path.includes('%2F')
  const doubleSlash = path.includes('//')
  const parameters = path.includes(';')
  const decode = (p: string): string => p.replaceAll('%2F', '/')
  const merge = (p: string): string => p.replace(/\/{2,}/g, '/')
  const strip = (p: string): string => p.replace(/;[^/]*/g, '')
  const forms = new Set<string>()
  if (encodedSlash) forms.add(decode(path))
  if (doubleSlash) forms.add(merge(path))
  if (parameters) forms.add(strip(path))
  forms.add(merge(strip(decode(path))))
  const readings = new Set<string | null>()
  for (const form of forms) {
    const resolved = resolveDotSegments(form)
    readings.add(resolved === undefined ? null : merge(resolved))
    if (resolved !== undefined) readings.add(resolved)
  }
  readings.delete(path)
  return [...readings]
}

const DOT_SEGMENT = /\/(?:\.|%2e){1,2}(?:[/?]|$)/i

/** `true` where the path of a request target, as received, has segments that its canonical form resolves. */
export function hasDotSegments(target: string): boolean {
  const found = DOT_SEGMENT.exec(target)
  if (found === null) return false
  const query = target.indexOf('?')
  return query === -1 || found.index < query
}
