/**
 * Entity tags (RFC 9110 §8.8.3), as they stand in fields. Tags without quotes, which some origins send, are kept and
 * compared as they are, and are never strong.
 */

const SPACE = 0x20
const TAB = 0x09
const COMMA = 0x2c
const QUOTE = 0x22

/** A strong validator: quoted, and not marked weak (RFC 9110 §8.8.1). */
export function isStrong(tag: string): boolean {
  return tag.length > 1 && tag.charCodeAt(0) === QUOTE && tag.indexOf('"', 1) === tag.length - 1
}

/** Strong comparison (RFC 9110 §8.8.3.2): octet for octet the same. */
export function strongEqual(a: string, b: string): boolean {
  return a === b && isStrong(a)
}

/** Weak comparison (RFC 9110 §8.8.3.2): the same but for `W/`. */
export function weakEqual(a: string, b: string): boolean {
  if (a === b) return true
  return opaque(a) === opaque(b)
}

function opaque(tag: string): string {
  return tag.startsWith('W/') ? tag.slice(2) : tag
}

/** `*`, the condition on any representation (RFC 9110 §13.1.1, §13.1.2). */
export function isAny(list: string): boolean {
  return list.trim() === '*'
}

/**
 * Whether a list of entity tags (If-Match, If-None-Match) holds one that equals `tag`. Commas within quotes belong to a
 * tag; empty members are passed over (RFC 9110 §5.6.1.2).
 */
export function listHolds(list: string, tag: string, equal: (a: string, b: string) => boolean): boolean {
  for (let at = 0; at < list.length; ) {
    const code = list.charCodeAt(at)
    if (code === SPACE || code === TAB || code === COMMA) {
      at++
      continue
    }
    const end = endOfTag(list, at)
    if (equal(list.slice(at, end).trimEnd(), tag)) return true
    at = end
  }
  return false
}

function endOfTag(list: string, start: number): number {
  const quote = list.startsWith('W/', start) ? start + 2 : start
  const separator = list.charCodeAt(quote) === QUOTE ? '"' : ','
  const end = list.indexOf(separator, quote + 1)
  if (end === -1) return list.length
  return separator === '"' ? end + 1 : end
}
