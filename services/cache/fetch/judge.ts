import { type CacheContext, type CacheExchange, routeCacheOf } from '../context.ts'
import { isError, servesOnFailure } from '../failure.ts'
import { loose } from '../keep.ts'
import { timesOf } from '../retention.ts'
import { freshnessOf } from '../rules/freshness.ts'
import { lifespanOf } from '../rules/lifespan.ts'
import { fieldValue, type ResponseHead } from '../rules/message.ts'
import { parseContentRange } from '../rules/partial-content.ts'
import { freshen, type Question } from '../rules/revalidation.ts'
import { isShareable } from '../rules/storable.ts'
import { strongValidatorOf } from '../rules/validators.ts'
import { namesSame, varyOf } from '../rules/vary.ts'
import { storabilityOf, tagsOf } from '../storing.ts'
import { completed, type Completing } from './completion.ts'
import type { Errand } from './errand.ts'
import type { Filling } from './filling.ts'
import type { Flight, Verdict } from './flight.ts'

/** Says what becomes of the origin's answers, by their heads. */
export class Judge {
  readonly #context: CacheContext
  readonly #filling: Filling

  constructor(context: CacheContext, filling: Filling) {
    this.#context = context
    this.#filling = filling
  }

  /** Notes on the errand what the answer turns out to be. @param length of the body, as declared */
  verdict({ errand, request }: Flight, head: ResponseHead, length: number | null): Verdict {
    const { client, selected, question, completing } = errand
    const { now } = this.#context
    if (head.status === 304 && question !== undefined) return this.#freshened(errand, { request, head, question })
    if (selected !== undefined && isError(head.status)) {
      if (servesOnFailure(selected, client, { failure: 'error', now: now() })) return STORED
    }
    if (completing !== undefined && (head.status === 206 || head.status === 416)) {
      return this.#completed(errand, completing, { request, head, length })
    }
    this.#examine(errand, request, head)
    const { policy } = routeCacheOf(client)
    if (!isForOthers(errand) && !this.#isStorablePart(errand, head, length)) {
      if (errand.storable?.store === false && errand.storable.lasting) this.#isPrivate(errand)
      return PRIVATE
    }
    const large = length !== null && length > policy.maxEntryBytes
    return { kind: 'share', keepBytes: large || request.unframed ? 0 : policy.maxEntryBytes }
  }

  #examine(errand: Errand, request: CacheExchange, head: ResponseHead): void {
    const { client } = errand
    errand.storable = storabilityOf(request, head, this.#context.now())
    errand.tags = tagsOf(client, head.fields)
    errand.vary = varyOf(head.fields, client.fields.kept, routeCacheOf(client).policy)
  }

  /** RFC 9111 §3.3 asks for no validator to store a part, §3.4 does to combine it with another. */
  #isStorablePart({ client, part, storable, vary }: Errand, head: ResponseHead, length: number | null): boolean {
    if (!part || storable?.store !== true || !storable.part || vary === '*') return false
    const range = parseContentRange(fieldValue(head.fields, 'content-range') ?? '')
    if (range === undefined || (length !== null && length !== range.last - range.first + 1)) return false
    return routeCacheOf(client).policy.profile === 'rfc' || strongValidatorOf(head) !== undefined
  }

  /** The origin has sent what a stored part lacks, or something else. */
  #completed(
    errand: Errand,
    { stored }: Completing,
    { request, head, length }: { request: CacheExchange; head: ResponseHead; length: number | null },
  ): Verdict {
    const whole = completed(stored, head, length)
    if (whole === undefined) return AGAIN
    this.#examine(errand, request, whole.head)
    const { maxEntryBytes } = routeCacheOf(errand.client).policy
    const keep = isForOthers(errand) && whole.length <= maxEntryBytes
    return { kind: 'share', keepBytes: keep ? maxEntryBytes : 0, completed: whole }
  }

  /** Nobody waits for what is not shared, and what was shared before is no longer. */
  #isPrivate({ key, selected }: Errand): void {
    const { passes, now } = this.#context
    passes.remember(key, now())
    if (selected !== undefined) this.#filling.forget(selected)
  }

  /** What is stored still holds: it is stored again, with what the 304 says of it (RFC 9111 §4.3.4). */
  #freshened(
    errand: Errand,
    { request, head, question }: { request: CacheExchange; head: ResponseHead; question: Question },
  ): Verdict {
    const { client, key } = errand
    const { passes, now } = this.#context
    const { policy } = routeCacheOf(client)
    const freshening = freshen({ asked: question.asked, answer: head, request: client.fields.kept, policy })
    if (freshening.outcome === 'mismatch') return AGAIN
    for (const { old, updated } of freshening.updates) {
      const storable = storabilityOf(request, updated, now())
      const told = { ...updated, tags: tagsOf(client, updated.fields) }
      const life = storable.store ? storable.lifespan : lifespanOf(updated, freshnessOf(updated, policy))
      // A 304 has fields that are for one client, too.
      const tagged = storable.store ? { ...told, fields: storable.fields } : told
      // What one client sent changes nothing of what the others have; what is chosen by other request fields than it was
      // may be wrong for those whom it answered.
      const isOver = storable.store ? !namesSame(old.vary, updated.fields) : storable.lasting
      if (isOver) this.#filling.drop(key, old)
      const entry = storable.store ? this.#filling.put(errand, life, tagged) : undefined
      if (errand.updated !== undefined) continue
      // What may not be stored answers this once, and those alone who may have it.
      errand.storable = storable
      errand.tags = told.tags
      if (!storable.store && storable.lasting) passes.remember(key, now())
      const times = timesOf(told, life)
      errand.updated = entry ?? loose(policy, { key, stored: tagged, times }, storable.store)
      errand.own =
        tagged.fields.length === told.fields.length
          ? errand.updated
          : loose(policy, { key, stored: told, times }, storable.store)
    }
    return STORED
  }
}

const STORED: Verdict = { kind: 'stored' }
const PRIVATE: Verdict = { kind: 'private' }
const AGAIN: Verdict = { kind: 'again' }

/** Whether those who wait may have the answer, and those who come later. */
export function isForOthers({ storable, vary }: Errand): boolean {
  return storable !== undefined && isShareable(storable) && vary !== '*'
}
