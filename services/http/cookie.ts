/** The value of a cookie as a client sends it (RFC 6265 §5.4); of several of the name, the first: the most specific. */
export function cookieOf(field: string | undefined, name: string): string | undefined {
  if (field === undefined) return undefined
  for (const pair of field.split(';')) {
    const equals = pair.indexOf('=')
    if (equals !== -1 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim()
  }
  return undefined
}

/** The values of all cookies of a name, joined by `;`, which none has: origins disagree on which of several counts. Empty without any. */
export function cookiesOf(field: string | undefined, name: string): string {
  if (field === undefined) return ''
  const values: string[] = []
  for (const pair of field.split(';')) {
    const equals = pair.indexOf('=')
    if (equals !== -1 && pair.slice(0, equals).trim() === name) values.push(pair.slice(equals + 1).trim())
  }
  return values.join(';')
}
