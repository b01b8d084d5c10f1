import { isStrong, listHolds, strongEqual, weakEqual } from '../../cache/rules/entity-tag.ts'
import type { Coding } from './negotiation.ts'

/** What describes the bytes as they were: their ranges, and digests (RFC 1864, RFC 3230, RFC 9530). */
const OF_THE_BYTES: ReadonlySet<string> = new Set([
  'accept-ranges',
  'content-digest',
  'content-encoding',
  'content-length',
  'content-md5',
  'digest',
  'repr-digest',
])

/**
 * The fields of an answer that is coded on its way (RFC 9110 §8.4, §8.8.3): its tag is weak from now on, since the bytes
 * are others; what describes the bytes goes.
 *
 * @param fields names in lower case: name, value, name, value
 */
export function codedFields(fields: readonly string[], coding: Coding): string[] {
  return varied([...bareFields(fields), 'content-encoding', coding])
}

/** The same for one whose coding is undone on its way. */
export function decodedFields(fields: readonly string[]): string[] {
  return varied(bareFields(fields))
}

function bareFields(fields: readonly string[]): string[] {
  const bare: string[] = []
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string
    if (OF_THE_BYTES.has(name)) continue
    const value = fields[i + 1] as string
    // A tag without quotes is none, and cannot be made weak.
    if (name !== 'etag') bare.push(name, value)
    else if (isStrong(value) || value.startsWith('W/')) bare.push(name, weakened(value))
  }
  return bare
}

/** The fields of an answer that another client might have had coded: `Vary` says so (RFC 9110 §12.5.5). */
export function varied(fields: readonly string[]): string[] {
  const list = [...fields]
  let last = -1
  for (let i = 0; i < list.length; i += 2) {
    if (list[i] !== 'vary') continue
    if (/(^|,)\s*(\*|accept-encoding)\s*(,|$)/i.test(list[i + 1] as string)) return list
    last = i
  }
  if (last === -1 || list[last + 1]?.trim() === '') {
    if (last !== -1) list.splice(last, 2)
    list.push('vary', 'Accept-Encoding')
  } else {
    list[last + 1] = `${list[last + 1]}, Accept-Encoding`
  }
  return list
}

/**
 * The fields of a 304. A client that has a coded answer knows it by the weak tag: a strong one would be about nothing
 * that it has (RFC 9111 §4.3.4).
 *
 * @param ifNoneMatch what the client has
 */
export function notModified(fields: readonly string[], ifNoneMatch: string | undefined): string[] {
  const list = varied(fields)
  const at = list.findIndex((name, i) => i % 2 === 0 && name === 'etag')
  const tag = at === -1 ? undefined : (list[at + 1] as string)
  if (tag === undefined || ifNoneMatch === undefined || !isStrong(tag)) return list
  if (!listHolds(ifNoneMatch, tag, strongEqual) && listHolds(ifNoneMatch, tag, weakEqual)) list[at + 1] = weakened(tag)
  return list
}

/** Trailers of an answer that is coded: digests are of the bytes as they were. */
export function codedTrailers(trailers: readonly string[]): string[] {
  return trailers.filter((_, i) => !OF_THE_BYTES.has(trailers[i - (i % 2)] as string))
}

function weakened(tag: string): string {
  return tag.startsWith('W/') ? tag : `W/${tag}`
}

/**
 * If-Match as the origin gets it: the tags that were made weak here are strong again. RFC 9110 §13.1.1 compares
 * strongly, so that nobody who has read a coded answer could change what it is about. A tag that is weak by its origin's
 * word matches neither way.
 */
export function strengthened(ifMatch: string): string {
  return ifMatch.replaceAll(/(?:W\/)?("[^"]*")/g, '$1')
}
