import type { Claims } from '../claims.ts'

/** What a browser keeps, sealed, of somebody who has logged in. */
export interface Session {
  /** Random: what ends it by name. */
  id: string
  /** Of the ID token. */
  claims: Claims
  /** For a logout at the provider; `null` where there was no room. */
  idToken: string | null
  accessToken: string | null
  refreshToken: string | null
  /** When it has to be refreshed: epoch, ms; `null`: it is not. */
  refreshAt: number | null
  /** When somebody logged in: epoch, ms. */
  startedAt: number
  /** When it is over, whatever is refreshed: epoch, ms. */
  until: number
}

/** What was sealed here has this shape; that it is from a former version, or another program with the secret, is checked all the same. */
export function isSession(value: unknown): value is Session {
  if (typeof value !== 'object' || value === null) return false
  const { id, claims, startedAt, until } = value as Partial<Session>
  if (typeof id !== 'string' || typeof startedAt !== 'number' || typeof until !== 'number') return false
  return typeof claims === 'object' && claims !== null
}

/** What a browser keeps, sealed, of a login that it has begun. */
export interface Begun {
  state: string
  nonce: string
  verifier: string
  /** A path of this origin. */
  to: string
}

export function isBegun(value: unknown): value is Begun {
  if (typeof value !== 'object' || value === null) return false
  const { state, nonce, verifier, to } = value as Partial<Begun>
  return [state, nonce, verifier, to].every((text) => typeof text === 'string')
}

/** Only a path of this origin leads anywhere: no other host, whatever a browser makes of slashes (open redirect). */
export function safePath(path: string | undefined, otherwise = '/'): string {
  return path !== undefined &&
    path.length <= 2_048 &&
    /^\/(?![/\\])[\u0021-\u007e]*$/.test(path) &&
    !path.includes('\\')
    ? path
    : otherwise
}
