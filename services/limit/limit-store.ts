import type { Limiter } from './decision.ts'
import { Errands } from './errands.ts'
import { ExactLimiter } from './exact-limiter.ts'
import { LeasedLimiter } from './leased-limiter.ts'
import type { Ledger } from './ledger.ts'
import {
  clockOf,
  identityOf,
  type LimitShape,
  type LimitState,
  paceOfLimit,
  SYSTEM_TIMES,
  type Times,
} from './limit.ts'
import { LocalLimiter } from './local-limiter.ts'
import { TopKeys } from './top-keys.ts'

interface Held {
  state: LimitState
  owners: number
}

/**
 * What limits have to remember, for all generations of a gateway in this process: one that takes the place of another goes on
 * with the buckets of the limits that stay as they are.
 */
export class LimitStore {
  /** Who keeps what is shared; `null`: this process is alone. */
  readonly ledger: Ledger | null
  readonly errands: Errands | null
  /** Decisions that were to be shared, and were made by this process alone. */
  alone = 0
  readonly #times: Times
  readonly #held = new Map<string, Held>()

  constructor(ledger: Ledger | null, times: Times = SYSTEM_TIMES) {
    this.ledger = ledger
    this.#times = times
    this.errands = ledger === null ? null : new Errands(ledger)
  }

  /** For one owner more; {@link release} ends it. */
  hold(shape: LimitShape): LimitState {
    const id = identityOf(shape)
    let held = this.#held.get(id)
    if (held === undefined) {
      const counts = { allowed: 0, limited: 0, wouldLimit: 0, exempt: 0 }
      held = { state: { limiter: this.#limiter(id, shape), counts, refused: new TopKeys() }, owners: 0 }
      this.#held.set(id, held)
    }
    held.owners++
    return held.state
  }

  async release(shape: LimitShape): Promise<void> {
    const id = identityOf(shape)
    const held = this.#held.get(id)
    if (held === undefined || --held.owners > 0) return
    this.#held.delete(id)
    await held.state.limiter.close()
  }

  async close(): Promise<void> {
    await Promise.all([...this.#held.values()].map(({ state }) => state.limiter.close()))
    await this.ledger?.close()
  }

  #limiter(id: string, shape: LimitShape): Limiter {
    const { period, options } = shape
    const { maxKeys, mode } = options
    const limit = { id, pace: paceOfLimit(shape), clock: clockOf(shape, this.#times), period, maxKeys }
    const { errands } = this
    if (errands === null) return new LocalLimiter(limit)
    const shared = { errands, alone: () => void this.alone++ }
    return mode === 'exact' ? new ExactLimiter(limit, shared) : new LeasedLimiter(limit, shared)
  }
}
