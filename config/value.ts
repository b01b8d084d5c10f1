/** A plain object, whichever realm or parser made it. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A value in a few words, for a message. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return `'${value.length > 60 ? `${value.slice(0, 60)}…` : value}'`
  if (Array.isArray(value)) return 'a list'
  if (value === null || value === undefined) return 'nothing'
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

/** The text that a value would be written as; objects are none, and may have a `toString` that is no function. */
export function asText(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : ''
}

/** In a URL: whatever it is of, `//user:PASSWORD@host`; the word itself stands where messages say how one is written. */
const PASSWORD_OF_URL = /(?<=\/\/[^\s/@"'`]*:)(?!password@)[^\s/@"'`]+(?=@)/g

/** Text as it may be shown: passwords of URLs are stars, as many as they have characters. */
export function withoutPasswords(text: string): string {
  return text.replace(PASSWORD_OF_URL, stars)
}

export const stars = (text: string): string => '*'.repeat(text.length)
