import type { CacheDiskPurge } from '../../../workers/protocol.ts'
import type { StoredResponse } from '../stored.ts'
import { type Match, matcher, type Selector } from './selector.ts'

interface Unacknowledged {
  purge: CacheDiskPurge
  covers: Match
  sent: boolean
  waitsUntil: number
  resolve: (count: number) => void
}

/** Of more than so many, all is purged. */
const MAX_PURGES = 10_000

/** Purges that the thread has not acknowledged: they hold here meanwhile, and may have to be sent to the next one. */
export class DiskPurges {
  readonly #purges = new Map<number, Unacknowledged>()
  readonly #waitMs: number

  /** @param waitMs how long who asks waits for one */
  constructor(waitMs: number) {
    this.#waitMs = waitMs
  }

  get size(): number {
    return this.#purges.size
  }

  /** @returns how many responses it covered; 0 where that is not known in time */
  add(purge: CacheDiskPurge, selector: Selector, now: number): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>()
    const add = (given: CacheDiskPurge, covers: Match): void => {
      this.#purges.set(given.id, { purge: given, covers, sent: false, waitsUntil: now + this.#waitMs, resolve })
    }
    if (this.#purges.size < MAX_PURGES) {
      add(purge, matcher(selector))
    } else {
      // Nobody takes them. What covers each of them takes the place of all.
      const before = [...this.#purges.values()]
      this.#purges.clear()
      add({ ...purge, scope: 'glob', value: '*', url: '', mode: 'hard' }, matcher({ kind: 'all' }))
      void promise.then(() => before.forEach((each) => each.resolve(0)))
    }
    return promise
  }

  /** Whether one covers what was requested before it. */
  covering(key: string, { requestedAt, tags }: StoredResponse): 'hard' | 'soft' | undefined {
    let found: 'hard' | 'soft' | undefined
    for (const { purge, covers } of this.#purges.values()) {
      if (requestedAt > purge.at || !covers(key, tags)) continue
      if (purge.mode === 'hard') return 'hard'
      found = 'soft'
    }
    return found
  }

  done(id: number, count: number): void {
    this.#purges.get(id)?.resolve(count)
    this.#purges.delete(id)
  }

  /** Those to be sent, which then are. */
  unsent(): CacheDiskPurge[] {
    const list: CacheDiskPurge[] = []
    for (const pending of this.#purges.values()) {
      if (!pending.sent) list.push(pending.purge)
      pending.sent = true
    }
    return list
  }

  /** What was sent has not arrived. */
  unsend(): void {
    for (const pending of this.#purges.values()) pending.sent = false
  }

  /** Lets those go on who have waited for long enough; the purges stay. */
  expire(now: number): void {
    for (const { waitsUntil, resolve } of this.#purges.values()) if (now >= waitsUntil) resolve(0)
  }

  /** Lets everybody go on. */
  settle(): void {
    for (const { resolve } of this.#purges.values()) resolve(0)
  }
}
