import type { Machines } from '../machines.ts'
import type { Taken } from './replay-memory.ts'

/** Whether a signature is accepted for the first time, by any of those that share; throws where nobody can say. */
export type TakeSignature = (id: string) => Promise<Taken>

/** No request waits longer for what others have accepted. */
const PATIENCE_MS = 50

/**
 * What several processes have accepted. Asking is bounded: who does not answer in 50 ms is taken for away, and while an answer
 * is overdue nobody else waits for one.
 */
export class SharedReplays {
  readonly #take: TakeSignature
  readonly #isThere: () => boolean
  /** Questions whose answer is overdue. */
  #overdue = 0

  constructor(take: TakeSignature, isThere: () => boolean = () => true) {
    this.#take = take
    this.#isThere = isThere
  }

  /** @returns `undefined`, at once or after the wait, where nobody says: then this process's own memory has to do */
  take(id: string): Promise<Taken | undefined> | undefined {
    return this.#overdue > 0 || !this.#isThere() ? undefined : this.#ask(id)
  }

  async #ask(id: string): Promise<Taken | undefined> {
    const { promise: late, resolve } = Promise.withResolvers<undefined>()
    let isLate = false
    const timer = setTimeout(() => {
      isLate = true
      this.#overdue++
      resolve(undefined)
    }, PATIENCE_MS)
    const answer = this.#take(id)
      .catch(() => undefined)
      .finally(() => {
        clearTimeout(timer)
        if (isLate) this.#overdue--
      })
    return await Promise.race([answer, late])
  }
}

/**
 * What all machines with the same Redis have accepted: a key each, which ends by itself.
 *
 * @returns `null` without Redis
 */
export function replaysInRedis({ link, prefix }: Machines, lifetimeMs: number): SharedReplays | null {
  if (link === null) return null
  const take: TakeSignature = async (id) => {
    const [set] = await link.batch([['set', `${prefix}:access:signed:${id}`, '1', 'PX', lifetimeMs, 'NX']])
    if (set instanceof Error) throw set
    return set === null ? 'known' : 'new'
  }
  return new SharedReplays(take, () => link.ready)
}
