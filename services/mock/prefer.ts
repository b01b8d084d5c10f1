import { requestFieldValue } from '../cache/rules/message.ts'

/** What a client would rather have (RFC 7240), in the words of Prism: `Prefer: code=404, example=name`. */
export interface Preference {
  status: number | null
  example: string | null
}

/** A preference, with its value as a token or in quotes, before its parameters. */
const PREFERENCE = /^\s*([A-Za-z]+)\s*=\s*(?:"([^"\\]*)"|([^\s";,]+))\s*(?:;.*)?$/

/** @param kept the request's fields: name, value, name, value. What cannot be read is no preference (RFC 7240 §2). */
export function preferenceOf(kept: readonly string[]): Preference {
  const preference: Preference = { status: null, example: null }
  for (const member of (requestFieldValue(kept, 'prefer') ?? '').split(',')) {
    const [, name = '', quoted, token] = PREFERENCE.exec(member) ?? []
    const value = quoted ?? token ?? ''
    // The first of a name counts.
    if (/^code$/i.test(name) && /^[2-5]\d\d$/.test(value)) preference.status ??= Number(value)
    else if (/^example$/i.test(name) && value !== '') preference.example ??= value
  }
  return preference
}

/** What of it was done, for Preference-Applied (RFC 7240 §3); `undefined` for nothing. */
export function appliedOf({ status, example }: Preference): string | undefined {
  const applied = [
    ...(status === null ? [] : [`code=${status}`]),
    // A name beyond ASCII has come in no field.
    ...(example === null ? [] : [`example="${example}"`]),
  ]
  return applied.length === 0 ? undefined : applied.join(', ')
}
