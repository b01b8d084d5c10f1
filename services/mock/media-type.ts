/** One range of Accept (RFC 9110 §12.5.1). */
const RANGE = /^\s*([^\s;,/]+)\/([^\s;,/]+)\s*(?:;(.*))?$/
const WEIGHT = /(?:^|;)\s*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*(?:;|$)/i

/**
 * The media type that a client takes best, of equal ones the first; parameters are not compared.
 *
 * @param accept `undefined` or empty: it takes any
 * @returns `undefined` where it takes none
 */
export function acceptable(accept: string | undefined, types: readonly string[]): string | undefined {
  if (accept === undefined || accept.trim() === '') return types[0]
  const ranges = accept.split(',').flatMap((member) => {
    const [, type, subtype, rest = ''] = RANGE.exec(member.toLowerCase()) ?? []
    return type === undefined || subtype === undefined
      ? []
      : [{ type, subtype, q: Number(WEIGHT.exec(rest)?.[1] ?? 1) }]
  })
  const weightOf = (name: string): number => {
    const [type, subtype] = (name.toLowerCase().split(';')[0] as string).trim().split('/')
    // The most specific range of those that fit counts.
    const exact = ranges.find((range) => range.type === type && range.subtype === subtype)
    const half = ranges.find((range) => range.type === type && range.subtype === '*')
    const any = ranges.find((range) => range.type === '*' && range.subtype === '*')
    return (exact ?? half ?? any)?.q ?? 0
  }
  let best: string | undefined
  for (const type of types) if (weightOf(type) > (best === undefined ? 0 : weightOf(best))) best = type
  return best
}
