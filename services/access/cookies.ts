import type { RequestFields } from '../http/request-fields.ts'

/** The value of the first cookie of a name (RFC 6265 §4.2.1), as it stands. @param header of Cookie */
export function cookieOf(header: string | undefined, name: string): string | undefined {
  return cookiesNamed(header, name)[0]
}

/** The values of all cookies of a name: who may set one for a part of a host's paths, or for its domain, adds another. */
export function cookiesNamed(header: string | undefined, name: string): string[] {
  const values: string[] = []
  if (header === undefined) return values
  let at = 0
  while (at < header.length) {
    let end = header.indexOf(';', at)
    if (end === -1) end = header.length
    while (header.charCodeAt(at) === 0x20) at++
    if (header.startsWith(name, at) && header.charCodeAt(at + name.length) === 0x3d) {
      values.push(header.slice(at + name.length + 1, end).trim())
    }
    at = end + 1
  }
  return values
}

/** Takes cookies off a request before it goes on: they are the gateway's own. */
export function dropCookies(fields: RequestFields, isOwn: (name: string) => boolean): void {
  const { cookie, kept } = fields
  if (cookie === undefined) return
  const rest = cookie
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '' && !isOwn(pair.split('=', 1)[0] as string))
    .join('; ')
  if (rest === cookie) return
  fields.cookie = rest === '' ? undefined : rest
  const at = kept.indexOf('cookie')
  // As `readRequestFields` writes it: one, in lower case.
  if (at === -1) return
  if (rest === '') kept.splice(at, 2)
  else kept[at + 1] = rest
}
