import { randomBytes, randomInt } from 'node:crypto'

/**
 * What Base64 in a text stands for: the last bits of its last character are nothing's, so that several spellings are one
 * signature (RFC 9651 §4.2.7 has parsers take them all).
 */
const meaningOf = (text: string): string =>
  text.replaceAll(/[\w+/-]{8,}/g, (coded) => Buffer.from(coded, 'base64').toString('hex'))

/** Like the text, with one character another, cut, doubled, or in another order. */
export function spoilt(text: string): string {
  const at = randomInt(text.length)
  const ways = [
    () => text.slice(0, at),
    () => text.slice(at + 1),
    () => text.slice(0, at) + String.fromCharCode(randomInt(0x21, 0x7f)) + text.slice(at + 1),
    () => text + text,
    () => `${text.slice(at)}${text.slice(0, at)}`,
    () => text.toUpperCase(),
    () => `${text.slice(0, at)}\u00ff${text.slice(at)}`,
    () => randomBytes(randomInt(1, 200)).toString('base64'),
  ]
  const made = (ways[randomInt(ways.length)] as () => string)()
  return meaningOf(made) === meaningOf(text) ? `x${made}` : made
}
