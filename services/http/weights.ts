/** More members than anyone means. */
const MAX_MEMBERS = 32

const MEMBER = /^[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:[ \t]*;[ \t]*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?[ \t]*$/i

/**
 * What a preference field says (Accept-Encoding, Accept-Language; RFC 9110 §12.4.2): lower-case name → weight, 0 to 1, in
 * the order sent, the first of equal names. `undefined` for what is malformed or too long.
 */
export function weights(value: string): Map<string, number> | undefined {
  const found = new Map<string, number>()
  const members = value.split(',', MAX_MEMBERS + 1)
  if (members.length > MAX_MEMBERS) return undefined
  for (const member of members) {
    if (member.trim() === '') continue
    const match = MEMBER.exec(member)
    if (match === null) return undefined
    const name = (match[1] as string).toLowerCase()
    if (!found.has(name)) found.set(name, match[2] === undefined ? 1 : Number(match[2]))
  }
  return found
}
