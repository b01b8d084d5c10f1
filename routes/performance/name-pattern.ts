/**
 * Whether a metric's name fits what was asked for: a beginning, or, with asterisks, the whole name. Each piece is looked
 * for once, from left to right: no pattern takes more than linear time.
 */
export function matchesName(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.split('*')
  if (!name.startsWith(first)) return false
  const last = rest.pop()
  if (last === undefined) return true
  let position = first.length
  for (const piece of rest) {
    const found = name.indexOf(piece, position)
    if (found === -1) return false
    position = found + piece.length
  }
  return name.length - last.length >= position && name.endsWith(last)
}
