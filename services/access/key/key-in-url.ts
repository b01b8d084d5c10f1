/**
 * Keys of the gateway's form in a URL, in any case, and with any of their characters encoded. Of the secret, 16 characters
 * are enough: a word like `hr_employees_2024` is none, and of a key that was cut shorter there is too much left to guess.
 */

const LETTER_OR_DIGIT = '(?:[0-9a-z]|%(?:3[0-9]|[46][1-9a-f]|[57][0-9a]))'
const UNDERSCORE = '(?:_|%5f)'
const KEY = `(?:h|%[46]8)(?:r|%[57]2)${UNDERSCORE}${LETTER_OR_DIGIT}{8,16}${UNDERSCORE}${LETTER_OR_DIGIT}{16,}`
const ANY = new RegExp(KEY, 'i')
const EACH = new RegExp(KEY, 'gi')

/** Whether there is one in a path or a query. */
export function holdsKey(text: string): boolean {
  return mayHoldKey(text) && ANY.test(text)
}

/** A path or a query, to be written where people read it. */
export function withoutKeys(text: string): string {
  return mayHoldKey(text) ? text.replace(EACH, '[redacted]') : text
}

/** Ordinary paths and queries have neither, and this is all that they cost. */
function mayHoldKey(text: string): boolean {
  return text.includes('_') || text.includes('%')
}
