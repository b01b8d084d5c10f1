import { keep } from './keep.ts'
import { type CacheContext, type CacheExchange, routeCacheOf } from './context.ts'
import { endToEnd, ObservedReply } from './observed-reply.ts'
import { timesOf } from './retention.ts'
import type { ResponseHead } from './rules/message.ts'
import { updateByHead } from './rules/revalidation.ts'
import { forbidsStoring } from './rules/reuse.ts'
import { namesSame } from './rules/vary.ts'
import type { Entry } from './store/entry.ts'
import { storabilityOf, tagsOf } from './storing.ts'

/** What answers that pass by the store say of what is in it. Each watches the reply of one exchange before it is sent on. */

/** Whether a resource that is known as not shareable still is. */
export function watchPrivate(context: CacheContext, exchange: CacheExchange, key: string): void {
  const { passes, now } = context
  const requestedAt = now()
  exchange.reply = new ObservedReply(exchange.reply, (status, fields) => {
    const head: ResponseHead = { status, fields: endToEnd(fields), requestedAt, receivedAt: now() }
    if (storabilityOf(exchange, head, now(), 'GET').store) passes.forget(key)
  })
}

/** RFC 9111 §4.3.5: the answer to a HEAD says whether what is stored for GET still holds. */
export function observeHead(context: CacheContext, exchange: CacheExchange, entry: Entry): void {
  const { store, purges, now } = context
  const { policy } = routeCacheOf(exchange)
  // An answer to credentials, or one that must not be stored, says nothing of what others get.
  if (exchange.fields.authorization !== undefined || forbidsStoring(exchange.fields, policy)) return
  const requestedAt = now()
  const mark = purges.mark()
  exchange.reply = new ObservedReply(exchange.reply, (status, fields, length) => {
    if (status !== 200) return
    const own = endToEnd(fields)
    if (length !== null) own.push('content-length', String(length))
    const update = updateByHead(entry.stored, { status, fields: own, requestedAt, receivedAt: now() })
    if (update.outcome === 'stale') {
      store.invalidate({ kind: 'key', key: entry.key }, 'soft')
      void context.tier?.purge({ kind: 'key', key: entry.key }, 'soft')
      return
    }
    const { updated: known } = update
    const updated = { ...known, tags: tagsOf(exchange, known.fields) }
    const again = storabilityOf(exchange, updated, now(), 'GET')
    // Chosen by other request fields than so far, it may be wrong for those whom it answered.
    if (!again.store || !namesSame(entry.stored.vary, updated.fields)) {
      store.deleteEntry(entry)
      void context.tier?.purge({ kind: 'key', key: entry.key }, 'hard')
    } else if ((entry.queue !== null || !store.isOn) && !purges.blocked(mark, entry.key, updated.tags)) {
      const stored = { ...updated, fields: again.fields }
      const times = timesOf(updated, again.lifespan)
      context.tier?.write(entry.key, stored, times.usableUntil)
      keep(store, policy, { key: entry.key, stored, times })
    }
  })
}
