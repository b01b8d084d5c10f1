import type { Machines } from '../machines.ts'
import { Journal } from './journal.ts'
import { RedisRevoked } from './redis-revoked.ts'
import { type Revocation, Revoked } from './revoked.ts'

export interface RevocationsOptions {
  machines: Machines
  /** Absolute. */
  dataDir: string
  /** Some route accepts what can be revoked; else nothing is read, and nobody heard. */
  used: boolean
  log: Record<'info' | 'error', (details: object, message: string) => void>
  /** Epoch, ms. */
  now: () => number
  /** Of the gateway whose place is taken: what was revoked there. */
  previous: Revocations | null
}

/**
 * Takes back what was given out: in this process at once, in the others by the control port, on other machines by Redis, and
 * at the next start by a file of the data directory.
 */
export class Revocations {
  readonly revoked: Revoked
  /** Tells the other processes; by default there are none. */
  announce: (list: readonly Revocation[]) => Promise<void> = async () => {}
  readonly #options: Omit<RevocationsOptions, 'previous'>
  readonly #journal: Journal
  #redis: RedisRevoked | null = null

  constructor({ previous, ...options }: RevocationsOptions) {
    const { dataDir, now, used } = options
    this.#options = options
    this.#journal = new Journal(dataDir, now)
    this.revoked = previous?.revoked ?? new Revoked({ now })
    if (used && (previous === null || !previous.#options.used)) this.#recall()
  }

  /** Hears of other machines from now on. */
  start(): void {
    const { machines, used, log, now } = this.#options
    const { link, prefix } = machines
    if (link === null || !used || this.#redis !== null) return
    this.#redis = new RedisRevoked({ link, prefix, revoked: this.revoked, log, now })
  }

  close(): void {
    this.#redis?.close()
  }

  /**
   * Here at once, and wherever {@link announce} reaches once this resolves.
   *
   * @throws HR_ACCESS_JOURNAL: it holds all the same, until the next start
   */
  async revoke(list: readonly Revocation[]): Promise<void> {
    const fresh = this.revoked.add(list)
    if (fresh.length === 0) return
    this.#redis?.publish(fresh)
    await this.announce(fresh)
    this.#journal.append(fresh)
  }

  /**
   * Another process, or an operator, has taken something back.
   *
   * @param isOperators nobody else keeps it, or tells other machines
   * @throws HR_ACCESS_JOURNAL: it holds all the same, until the next start
   */
  told(list: readonly Revocation[], isOperators: boolean): void {
    const fresh = this.revoked.add(list)
    if (!isOperators) return
    this.#redis?.publish(fresh)
    this.#journal.append(fresh)
  }

  /** What was revoked before the start. */
  #recall(): void {
    try {
      this.revoked.add(this.#journal.read())
    } catch (error) {
      this.#options.log.error({ code: (error as { code?: string }).code }, (error as Error).message)
    }
  }
}
