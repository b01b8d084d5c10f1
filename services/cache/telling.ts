import type { Reply } from '../downstream/reply.ts'
import { type CacheExchange, routeCacheOf } from './context.ts'
import { endToEnd, ObservedReply } from './observed-reply.ts'
import { receivedAge } from './rules/age.ts'
import type { FieldList, ResponseHead } from './rules/message.ts'
import { addControls, tell } from './rules/sending.ts'
import type { Storability } from './rules/storable.ts'
import type { Entry } from './store/entry.ts'
import { storabilityOf, tagsOf } from './storing.ts'

/** What clients are told of answers, where a route says something in place of the origin (`send`). */

/**
 * Of what is stored, to somebody whom the origin may know: its own words. What it lets caches share after a look at
 * credentials, it lets them for as long as it says.
 */
export function toldByOrigin(exchange: CacheExchange, { stored }: Entry): Pick<Entry, 'told' | 'controls' | 'head'> {
  const { send } = routeCacheOf(exchange).policy
  const fields = send === null ? stored.fields : tell(send, { ...stored, isShared: true, isGiven: false }).fields
  return { told: { ...stored, fields }, controls: null, head: undefined }
}

/**
 * Of an answer that comes from the origin.
 *
 * @param own what the gateway says besides; lifetimes are added to it
 */
export function toldOfAnswer(
  exchange: CacheExchange,
  { head, tags, storable }: { head: ResponseHead; tags: readonly string[]; storable: Storability | undefined },
  { own, now }: { own: string[]; now: number },
): FieldList {
  const { send } = routeCacheOf(exchange).policy
  if (send === null) return head.fields
  const { status, fields } = head
  const isShared = storable?.store === true
  const isGiven = isShared && storable.lifespan.freshUntil > 0 && exchange.fields.authorization === undefined
  const told = tell(send, { status, fields, tags, isShared, isGiven })
  const isFresh = isShared && now < storable.lifespan.freshUntil
  addControls(own, told.controls, isFresh ? (receivedAge(fields) ?? 0) : null)
  return told.fields
}

/** A reply to a request that goes by the store: the origin's answer becomes what the route tells of it. */
export class ToldReply extends ObservedReply {
  readonly #exchange: CacheExchange
  readonly #now: () => number

  constructor(reply: Reply, exchange: CacheExchange, now: () => number) {
    super(reply, () => undefined)
    this.#exchange = exchange
    this.#now = now
  }

  override head(status: number, fields: string[], length: number | null): void {
    super.head(status, this.#told(status, fields), length)
  }

  #told(status: number, fields: string[]): string[] {
    const exchange = this.#exchange
    const now = this.#now()
    const head: ResponseHead = { status, fields: endToEnd(fields), requestedAt: now, receivedAt: now }
    const own = fields.slice(head.fields.length)
    // Of a GET with content nobody knows what it depends on.
    const isRead = (exchange.method === 'GET' || exchange.method === 'HEAD') && exchange.body === null
    const storable = isRead ? storabilityOf(exchange, head, now, 'GET') : undefined
    return [...toldOfAnswer(exchange, { head, tags: tagsOf(exchange, head.fields), storable }, { own, now }), ...own]
  }
}
