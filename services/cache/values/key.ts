import { ValueKeyError } from './errors.ts'

/** Characters. */
const LONGEST = 1024
/** Begins the keys of values; those of responses begin with a fingerprint (base64url). */
const MARK = '='
const CONTROL = /[\u0000-\u001f\u007f]/

/** The key under which the store has a value. @throws HR_CACHE_KEY */
export function storeKey(key: string): string {
  if (typeof key !== 'string') throw new ValueKeyError(`is a ${typeof key}`)
  if (key === '') throw new ValueKeyError('is empty')
  if (key.length > LONGEST) throw new ValueKeyError(`has ${key.length} characters, and may have ${LONGEST}`)
  if (CONTROL.test(key)) throw new ValueKeyError('holds a control character')
  return written(key)
}

/** The pattern of store keys for one of values' keys: character for character the same. */
export function storePattern(pattern: string): string {
  return written(pattern)
}

/** Without a slash: whatever a program calls its values, no selector of URLs finds one in it. */
function written(text: string): string {
  return MARK + text.replaceAll('/', '\u0001')
}
