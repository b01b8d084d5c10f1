import { removeField, type RequestFields } from '../http/request-fields.ts'

/** Longer ones than this nobody has given out. */
export const MOST_CREDENTIAL_CHARACTERS = 8192

/** A field that stands in a request more than once, though it may not. */
export const SEVERAL = Symbol('headrace.several')

/**
 * The value of a field that may stand in a request once: two readers could each take another of several.
 *
 * @param name in lower case
 */
export function onlyField({ kept }: Pick<RequestFields, 'kept'>, name: string): string | typeof SEVERAL | undefined {
  let value: string | undefined
  for (let i = 0; i < kept.length; i += 2) {
    const given = kept[i] as string
    if (given.length !== name.length || (given !== name && given.toLowerCase() !== name)) continue
    if (value !== undefined) return SEVERAL
    value = kept[i + 1] as string
  }
  return value
}

/**
 * Takes Authorization off a request. To the cache it then carries none (RFC 9111 §3.5): whoever it was, the gateway knows,
 * and the key of what is stored says so.
 */
export function dropAuthorization(fields: RequestFields): void {
  if (fields.authorization === undefined) return
  removeField(fields.kept, 'authorization')
  fields.authorization = undefined
}
