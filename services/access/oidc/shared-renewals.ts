/** What a refresh has come to: the sealed session, `null` where the provider says no, empty where nobody can say. */
export type Renewed = string | null

/** What the processes of one machine share of refreshes. */
export interface RenewalsOfProcesses {
  /** @returns 0: it is our turn to refresh this; else milliseconds until the next */
  takeTurn(digest: string): Promise<number>
  /** It has come to this here. */
  tell(digest: string, renewed: Renewed): void
}

interface Told {
  renewed: Renewed
  /** Milliseconds on a clock that only grows. */
  at: number
}

/** As long as a turn lasts. */
const KEEP_MS = 30_000
const MOST_KEPT = 1_000
/** Nobody can say. */
export const NOT_KNOWN = ''

/**
 * Has one process refresh a session, and the others wait for what it has come to: to many providers a refresh token that comes
 * twice is a stolen one, and ends the session. Where they cannot agree, or who has the turn says nothing, each refreshes for
 * itself.
 */
export class SharedRenewals {
  /** By default there are none. */
  processes: RenewalsOfProcesses = { takeTurn: async () => 0, tell: () => {} }
  readonly #told = new Map<string, Told>()
  readonly #waiting = new Map<string, PromiseWithResolvers<Renewed>>()

  /**
   * Whose refresh it is.
   *
   * @param digest of the refresh token
   * @param mostMs how long another process may take
   * @returns what another process says; {@link NOT_KNOWN}: it is ours
   */
  async ask(digest: string, mostMs: number): Promise<Renewed> {
    const turn = await this.processes.takeTurn(digest).catch(() => 0)
    if (turn === 0) return NOT_KNOWN
    const told = this.#told.get(digest)
    return told === undefined ? await this.#word(digest, mostMs) : told.renewed
  }

  /** It was refreshed here. */
  tell(digest: string, renewed: Renewed): void {
    this.told(digest, renewed)
    this.processes.tell(digest, renewed)
  }

  /** It was refreshed, in whatever process. */
  told(digest: string, renewed: Renewed): void {
    const now = performance.now()
    for (const [key, { at }] of this.#told) {
      if (this.#told.size < MOST_KEPT && now - at < KEEP_MS) break
      this.#told.delete(key)
    }
    this.#told.delete(digest)
    this.#told.set(digest, { renewed, at: now })
    this.#waiting.get(digest)?.resolve(renewed)
  }

  async #word(digest: string, mostMs: number): Promise<Renewed> {
    let waiting = this.#waiting.get(digest)
    if (waiting === undefined) {
      waiting = Promise.withResolvers<Renewed>()
      this.#waiting.set(digest, waiting)
    }
    const { promise, resolve } = waiting
    const timer = setTimeout(() => resolve(NOT_KNOWN), mostMs)
    const renewed = await promise
    clearTimeout(timer)
    this.#waiting.delete(digest)
    return renewed
  }
}
