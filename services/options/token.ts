/** A token of HTTP, as a part of a pattern: the name of a field, a method, a cookie (RFC 9110 §5.6.2). */
export const TOKEN = "[A-Za-z0-9!#$%&'*+.^_`|~-]+"

const WHOLE = new RegExp(`^${TOKEN}$`)

export function isToken(text: string): boolean {
  return WHOLE.test(text)
}
