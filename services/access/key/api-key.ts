import { hash, randomInt } from 'node:crypto'

/**
 * API keys: `hr_k3v9x2ab_4fVt…`. The middle part names the key and is no secret; by the last one, 28 random characters of
 * 62 (166 bits), it is proved. So far above what can be guessed, a plain SHA-256 is enough at rest: what makes hashes of
 * passwords slow protects what people choose.
 */

const ID_ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz'
const SECRET_ALPHABET = `${ID_ALPHABET}ABCDEFGHIJKLMNOPQRSTUVWXYZ`
const ID_LENGTH = 8
const SECRET_LENGTH = 28

/** A new key, and what is kept of it. */
export interface MadeKey {
  id: string
  /** Shown once, and kept nowhere. */
  key: string
  /** As in the consumers' file. */
  hash: string
}

/** @param draw a random integer below `limit`; for tests */
export function makeKey(draw: (limit: number) => number = (limit) => randomInt(limit)): MadeKey {
  const word = (length: number, alphabet: string): string =>
    Array.from({ length }, () => alphabet[draw(alphabet.length)]).join('')
  const id = word(ID_LENGTH, ID_ALPHABET)
  const key = `hr_${id}_${word(SECRET_LENGTH, SECRET_ALPHABET)}`
  return { id, key, hash: `sha256:${hash('sha256', key, 'base64url')}` }
}

/** The name in a key; empty where it has none. */
export function keyIdOf(key: string): string {
  if (!key.startsWith('hr_')) return ''
  const end = key.indexOf('_', 3)
  return end === -1 ? '' : key.slice(3, end)
}
