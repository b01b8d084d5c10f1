import { mediaTypeOf } from '../http/media-type.ts'
import { removeField } from '../http/request-fields.ts'

/** What is said of the bytes of a body (RFC 9530, RFC 1864), which are others now. */
const OF_BYTES = ['content-md5', 'digest', 'content-digest', 'repr-digest']

export function dropDigests(fields: string[]): void {
  for (const name of OF_BYTES) removeField(fields, name)
}

/** A strong tag says that the bytes are the same (RFC 9110 §8.8.3): of what was made of them, a weak one remains true. */
export function weakenTag(fields: string[]): void {
  for (let i = 0; i < fields.length; i += 2) {
    const value = fields[i + 1] as string
    if (fields[i] === 'etag' && !value.startsWith('W/')) fields[i + 1] = `W/${value}`
  }
}

const JSON_TYPE = /[/+]json$/

/** Whether a Content-Type says JSON (RFC 8259, RFC 6839 §3.1). */
export function isJson(contentType: string | undefined): boolean {
  return JSON_TYPE.test(mediaTypeOf(contentType))
}
