import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'

/**
 * Hashes of passwords: `scrypt:16384:8:5:SALT:HASH`, salt and hash in base64url. N = 2^14, r = 8, p = 5 is of equal strength
 * to OWASP's other choices for scrypt (Password Storage Cheat Sheet), and takes the least memory: 16 MiB.
 */
const N = 16_384
const R = 8
const P = 5
const SALT_BYTES = 16
const HASH_BYTES = 32
/** A file may ask for more work than these defaults, not for any amount of memory. */
const MOST_N = 131_072
const MOST_R = 16
const MOST_P = 16

interface Hashed {
  n: number
  r: number
  p: number
  salt: Buffer
  hash: Buffer
}

export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  const hash = await derive(password, { n: N, r: R, p: P, salt, length: HASH_BYTES })
  return `scrypt:${N}:${R}:${P}:${salt.toString('base64url')}:${hash.toString('base64url')}`
}

/** Some 200 ms of a thread. @param hashed one that {@link isPasswordHash} */
export async function isPassword(password: string, hashed: string): Promise<boolean> {
  const parsed = parse(hashed)
  if (parsed === undefined) return false
  const { hash, ...how } = parsed
  return timingSafeEqual(await derive(password, { ...how, length: hash.length }), hash)
}

export function isPasswordHash(text: string): boolean {
  return parse(text) !== undefined
}

/** What the password of nobody is compared with: as much work as of somebody. No password has this hash, but by chance. */
export const NOBODYS_PASSWORD = `scrypt:${N}:${R}:${P}:${'A'.repeat(22)}:${'A'.repeat(43)}`

function parse(text: string): Hashed | undefined {
  const match = /^scrypt:(\d{1,6}):(\d{1,2}):(\d{1,2}):([\w-]{16,64}):([\w-]{43,86})$/.exec(text)
  if (match === null) return undefined
  const [n = 0, r = 0, p = 0] = match.slice(1, 4).map(Number)
  const isPower = n >= 2 && (n & (n - 1)) === 0
  if (!isPower || n > MOST_N || r < 1 || r > MOST_R || p < 1 || p > MOST_P) return undefined
  return {
    n,
    r,
    p,
    salt: Buffer.from(match[4] as string, 'base64url'),
    hash: Buffer.from(match[5] as string, 'base64url'),
  }
}

function derive(
  password: string,
  { n, r, p, salt, length }: Omit<Hashed, 'hash'> & { length: number },
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFC'), salt, length, { N: n, r, p, maxmem: 256 * n * r }, (error, key) => {
      if (error === null) resolve(key)
      else reject(error)
    })
  })
}
