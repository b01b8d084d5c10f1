/** Text without its escapes; `undefined` where these are no UTF-8. */
export function decodedText(text: string): string | undefined {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/**
 * A name of a query's parameter as those read it who undo its escapes: `%61` is another writing of `a`, and no other
 * parameter, and `+` is a blank (https://url.spec.whatwg.org/#urlencoded-parsing). Escapes that are no UTF-8 stay: readers
 * that take them at all take their bytes.
 */
export function decodedParameterName(text: string): string {
  const plain = text.replaceAll('+', ' ')
  return decodedText(plain) ?? plain
}
