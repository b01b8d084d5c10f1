import { createPublicKey, hash, type JsonWebKeyInput } from 'node:crypto'
import type * as Jose from 'jose'
import type { JSONWebKeySet, JWTVerifyGetKey } from 'jose'
import { onDemand } from '../../lifetime/on-demand.ts'
import { KeySetError } from './errors.ts'

const jose = onDemand<typeof Jose>('jose')

/** More than any issuer has; each may be asked for by a token without a `kid`. */
const MOST_KEYS = 100
/** RFC 7518 §3.3: of RSA, this many bits and no fewer. */
const RSA_BITS = 2048

/** The public keys that an issuer signs with (RFC 7517), as they were at one time. */
export interface KeySet {
  /** Equal for equal text. */
  readonly digest: string
  /** As it came, for the other processes. */
  readonly text: string
  /** How many of its keys sign. */
  readonly size: number
  /** The key that a token's header names: of the algorithm's type, curve and use; never a secret one. */
  readonly keyOf: JWTVerifyGetKey
}

/**
 * Reads a key set. What cannot sign tokens here stays out of it: secret keys (`oct`), which would let anybody who reads the
 * set sign; keys for encryption; RSA below 2048 bits; what is no key, such as a point that is on no curve. Private parts are
 * thrown away.
 *
 * @param from for messages: a URL without its query, or a file
 * @throws HR_ACCESS_KEY_SET
 */
export function readKeySet(text: string, from: string): KeySet {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    throw new KeySetError(from, 'is no JSON')
  }
  const keys = (parsed as { keys?: unknown } | null)?.keys
  if (!Array.isArray(keys)) throw new KeySetError(from, "has no list 'keys'")
  if (keys.length > MOST_KEYS) throw new KeySetError(from, `has more than ${MOST_KEYS} keys`)
  const usable = keys.filter(isUsable).map(publicPart).filter(isKey)
  if (usable.length === 0) throw new KeySetError(from, 'has no public key that signs (RSA from 2048 bits, EC, OKP)')
  return {
    digest: hash('sha256', text),
    text,
    size: usable.length,
    keyOf: jose().createLocalJWKSet({ keys: usable } as unknown as JSONWebKeySet),
  }
}

type Jwk = Readonly<Record<string, unknown>>

function isUsable(key: unknown): key is Jwk {
  if (typeof key !== 'object' || key === null) return false
  const { kty, use, n } = key as Jwk
  if (use !== undefined && use !== 'sig') return false
  if (kty === 'RSA') return typeof n === 'string' && Buffer.from(n, 'base64url').length * 8 >= RSA_BITS
  return kty === 'EC' || kty === 'OKP'
}

/** By name: what the set has besides must not come into a key. */
function publicPart({ kty, kid, alg, use, crv, x, y, n, e }: Jwk): Jwk {
  const members = { kty, kid, alg, use, crv, x, y, n, e }
  return Object.fromEntries(Object.entries(members).filter(([, value]) => typeof value === 'string'))
}

/** A token that names one that is none could not be judged at all. */
function isKey(jwk: Jwk): boolean {
  try {
    createPublicKey({ key: jwk as JsonWebKeyInput['key'], format: 'jwk' })
    return true
  } catch {
    return false
  }
}
