import type { RequestFields } from '../http/request-fields.ts'

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

/** Takes a field off what goes upstream. @param name in lower case */
export function dropField({ kept }: Pick<RequestFields, 'kept'>, name: string): void {
  for (let i = kept.length - 2; i >= 0; i -= 2) {
    const given = kept[i] as string
    if (given.length !== name.length || (given !== name && given.toLowerCase() !== name)) continue
    for (let j = i; j < kept.length - 2; j++) kept[j] = kept[j + 2] as string
    // Setting the length instead takes V8 out of compiled code.
    kept.pop()
    kept.pop()
  }
}

/**
 * Takes Authorization off a request. To the cache it then carries none (RFC 9111 §3.5): whoever it was, the gateway knows,
 * and the key of what is stored says so.
 */
export function dropAuthorization(fields: RequestFields): void {
  if (fields.authorization === undefined) return
  dropField(fields, 'authorization')
  fields.authorization = undefined
}
