import { ObservedReply } from '../cache/observed-reply.ts'
import type { Prepared } from '../downstream/prepared.ts'
import type { Reply } from '../downstream/reply.ts'
import { isShared } from '../upstream/balance/sticky.ts'

/** What is said to one client of a split, beside the answer. */
export interface SideNote {
  /** Request fields that the choice depends on; empty: none. */
  vary: string
  /** Set-Cookie; `null`: none. */
  cookie: string | null
}

/**
 * A client's reply that says of each answer what the choice of its side depended on, and sets the cookie that keeps the
 * client there. It stands outside of the cache: nothing of it is stored. What caches that many share may keep by its own
 * word gets no cookie, for it would keep them all at one side.
 */
export class SideReply extends ObservedReply {
  readonly #note: SideNote

  constructor(reply: Reply, note: SideNote) {
    super(reply, () => undefined)
    this.#note = note
  }

  override head(status: number, fields: string[], length: number | null): void {
    super.head(status, [...fields, ...this.#added(fields)], length)
  }

  override whole(prepared: Prepared, own: readonly string[]): void {
    super.whole(prepared, [...own, ...this.#added([...prepared.told.fields, ...own])])
  }

  #added(fields: readonly string[]): string[] {
    const { vary, cookie } = this.#note
    const added = vary === '' ? [] : ['vary', vary]
    if (cookie !== null && !isShared(fields)) added.push('set-cookie', cookie)
    return added
  }
}
