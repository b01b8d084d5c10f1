/** Heads and bodies between the forms of node:http and the flat lists that the rules read. */

type Headers = Readonly<Record<string, number | string | readonly string[] | undefined>>

/** As `getHeaders()` has them: names in lower case. */
export function fieldsOf(headers: Headers): string[] {
  const fields: string[] = []
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue
    for (const line of Array.isArray(value) ? (value as readonly string[]) : [value]) fields.push(name, String(line))
  }
  return fields
}

/** The other way round: several lines of one name become a list. */
export function headersOf(fields: readonly string[]): Map<string, string | string[]> {
  const headers = new Map<string, string | string[]>()
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string
    const value = fields[i + 1] as string
    const known = headers.get(name)
    if (known === undefined) headers.set(name, value)
    else if (Array.isArray(known)) known.push(value)
    else headers.set(name, [known, value])
  }
  return headers
}

/** What is sent, whole; `null` for a stream. */
export function bytesOf(payload: unknown): Buffer | null {
  if (payload === undefined || payload === null) return Buffer.alloc(0)
  if (typeof payload === 'string') return Buffer.from(payload)
  return payload instanceof Uint8Array ? Buffer.from(payload) : null
}

/** Without the pseudo-headers that stand first in HTTP/2. */
export function withoutPseudoHeaders(raw: readonly string[]): readonly string[] {
  let start = 0
  while (start < raw.length && (raw[start] as string).startsWith(':')) start += 2
  return start === 0 ? raw : raw.slice(start)
}
