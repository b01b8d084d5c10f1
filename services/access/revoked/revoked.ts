import type { Claims } from '../claims.ts'

/**
 * What can be revoked ahead of its end.
 *
 * - `key`: one key of a consumer, by its id, whatever the files say that it stands in
 * - `token`: one token, by `jti`
 * - `subject`: all tokens and sessions of somebody up to now, by `sub`, or `issuer|sub` for one issuer's alone
 * - `session`: one session of a browser
 */
export const REVOCABLE = ['key', 'token', 'subject', 'session'] as const
export type Revocable = (typeof REVOCABLE)[number]

/** Cloneable, and the same in every process and machine. */
export interface Revocation {
  kind: Revocable
  name: string
  /** What was issued until then is meant: epoch, ms. */
  at: number
  /** From then on nobody needs to remember it: what is meant has expired. Epoch, ms. */
  until: number
}

/** Longer names are nobody's. */
export const LONGEST_NAME = 512

/**
 * What holds no longer, though it looks as if. Kept in memory; bounded: of too many, those that end first go first. Whoever
 * remembers verdicts is told to forget them, so that none outlives a revocation.
 */
export class Revoked {
  readonly #most: number
  readonly #now: () => number
  readonly #known = new Map<string, Revocation>()
  readonly #listeners: (() => void)[] = []
  /** There were too many: what is revoked may pass. */
  lost = 0

  /** @param now epoch, ms */
  constructor({ now, most = 100_000 }: { now: () => number; most?: number }) {
    this.#now = now
    this.#most = most
  }

  get size(): number {
    return this.#known.size
  }

  /** Called whenever something new is revoked. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener)
  }

  offChange(listener: () => void): void {
    const at = this.#listeners.indexOf(listener)
    if (at !== -1) this.#listeners.splice(at, 1)
  }

  /** The same once more changes nothing; of two that differ in their times, the later ones count. @returns those that were new */
  add(list: readonly Revocation[]): Revocation[] {
    const now = this.#now()
    const fresh = list.filter(
      (revocation) => isRevocation(revocation) && revocation.until > now && this.#put(revocation),
    )
    if (this.#known.size > this.#most) this.#shrink(now)
    if (fresh.length > 0) for (const listener of this.#listeners) listener()
    return fresh
  }

  has(kind: Revocable, name: string): boolean {
    const known = this.#known.get(`${kind} ${name}`)
    return known !== undefined && known.until > this.#now()
  }

  /** @param id the part of a consumer's key that is no secret */
  holdsKey(id: string): boolean {
    return this.#known.size > 0 && this.has('key', id)
  }

  /** Of a token. @param claims verified */
  holdsToken({ jti, sub, iss, iat }: Claims): boolean {
    if (this.#known.size === 0) return false
    if (typeof jti === 'string' && this.has('token', jti)) return true
    // One that does not say when it was made may be older.
    return this.#holdsSubject(iss, sub, typeof iat === 'number' ? iat * 1000 : 0)
  }

  /** @param startedAt epoch, ms */
  holdsSession({ id, claims, startedAt }: { id: string; claims: Claims; startedAt: number }): boolean {
    if (this.#known.size === 0) return false
    return this.has('session', id) || this.#holdsSubject(claims.iss, claims.sub, startedAt)
  }

  list(): Revocation[] {
    const now = this.#now()
    return [...this.#known.values()].filter(({ until }) => until > now)
  }

  #holdsSubject(iss: unknown, sub: unknown, since: number): boolean {
    if (typeof sub !== 'string') return false
    const everywhere = this.#known.get(`subject ${sub}`)
    const there = this.#known.get(`subject ${String(iss)}|${sub}`)
    // Tokens say whole seconds: one made in the second of the revocation may have been made before it.
    return Math.max(everywhere?.at ?? -1, there?.at ?? -1) >= since
  }

  #put(revocation: Revocation): boolean {
    const key = `${revocation.kind} ${revocation.name}`
    const known = this.#known.get(key)
    if (known !== undefined && known.at >= revocation.at && known.until >= revocation.until) return false
    const at = Math.max(revocation.at, known?.at ?? 0)
    this.#known.set(key, { ...revocation, at, until: Math.max(revocation.until, known?.until ?? 0) })
    return true
  }

  #shrink(now: number): void {
    for (const [key, { until }] of this.#known) if (until <= now) this.#known.delete(key)
    if (this.#known.size <= this.#most) return
    // A tenth at once: not for each one that comes.
    const first = [...this.#known].sort(([, a], [, b]) => a.until - b.until).slice(0, Math.ceil(this.#most / 10))
    for (const [key] of first) this.#known.delete(key)
    this.lost += first.length
  }
}

/** What comes from a file, another machine or a caller of the control plane. */
export function isRevocation(value: unknown): value is Revocation {
  if (typeof value !== 'object' || value === null) return false
  const { kind, name, at, until } = value as Partial<Revocation>
  return (
    REVOCABLE.includes(kind as Revocable) &&
    typeof name === 'string' &&
    name !== '' &&
    name.length <= LONGEST_NAME &&
    Number.isSafeInteger(at) &&
    Number.isSafeInteger(until)
  )
}
