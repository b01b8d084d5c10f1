import { createHash } from 'node:crypto'
import { answerStored, preconditionOf } from '../answer.ts'
import { type CacheExchange, routeCacheOf } from '../context.ts'
import { isError, servesOnFailure } from '../failure.ts'
import { invalidatedBy, type Readable } from '../invalidation.ts'
import { keep, loose } from '../keep.ts'
import type { PassMemory } from '../pass-memory.ts'
import { timesOf } from '../retention.ts'
import { type ForwardReason, forwardStatus } from '../rules/cache-status.ts'
import { notModifiedFields } from '../rules/conditional.ts'
import { fieldValue, type ResponseHead } from '../rules/message.ts'
import { varyOf } from '../rules/vary.ts'
import type { CacheStorage } from '../storage.ts'
import { STRING_BODY_BYTES } from '../stored.ts'
import { storabilityOf, tagsOf } from '../storing.ts'
import type { Entry } from '../store/entry.ts'
import type { PurgeMark } from '../store/purge-log.ts'
import type { Selector } from '../store/selector.ts'
import type { Answer, CollectedReply } from '../../downstream/collected-reply.ts'
import type { Landing } from './handler-flights.ts'

export interface RunContext extends CacheStorage {
  passes: PassMemory
  /** What mutations may make invalid. */
  readable: Readable
  /** Purges what a mutation has made invalid, before its answer is sent. */
  invalidate: (selectors: readonly Selector[]) => void
  /** Milliseconds since 1970. */
  now: () => number
}

/** What a handler answered, before anything is sent. */
export interface HandlerAnswer {
  status: number
  /** Names in lower case: name, value, name, value. */
  fields: readonly string[]
  /** `null` for a stream: it is passed on. */
  body: Buffer | null
  /** Names of fields that hooks had set before, and the handler left alone: they are about this one request. */
  unrelated: ReadonlySet<string>
}

/** What is sent. */
export type Sent =
  /** The handler's answer, with these fields added. */
  | { kind: 'handlers'; fields: string[] }
  /** Another: what is stored, or a 304. */
  | { kind: 'instead'; answer: Answer }

/** The rules go by these, whoever set them; and they describe the body. */
const ABOUT_THE_ANSWER =
  /^(cache-control|cdn-cache-control|headrace-cache-control|content-.*|date|age|expires|etag|last-modified|vary)$/

/** One call of a handler: its answer goes into the store where the rules allow that. */
export class HandlerRun {
  /** `store` what it answers; `pass` it on; a `mutation` makes what is stored invalid. */
  readonly purpose: 'store' | 'pass' | 'mutation'
  /** Tells those who wait, if anybody may. */
  ended: ((landing: Landing) => void) | undefined
  readonly #context: RunContext
  readonly #exchange: CacheExchange
  readonly #key: string
  readonly #reason: ForwardReason
  readonly #selected: Entry | undefined
  readonly #mark: PurgeMark
  readonly #requestedAt: number

  constructor(
    context: RunContext,
    exchange: CacheExchange,
    how: { key: string; purpose: HandlerRun['purpose']; reason: ForwardReason; selected: Entry | undefined },
  ) {
    this.#context = context
    this.#exchange = exchange
    this.#key = how.key
    this.#reason = how.reason
    this.#selected = how.selected
    this.purpose = how.purpose
    this.#mark = context.purges.mark()
    this.#requestedAt = context.now()
  }

  /** The handler has answered. Call {@link over} all the same once the request is over. */
  answered(given: HandlerAnswer): Sent {
    const now = this.#context.now()
    const head: ResponseHead = {
      status: given.status,
      fields: given.fields,
      requestedAt: this.#requestedAt,
      receivedAt: now,
    }
    const { counters } = routeCacheOf(this.#exchange)
    if (this.purpose === 'store') return this.#settle(given, head)
    counters.record('pass')
    if (this.purpose === 'mutation') invalidateBy(this.#exchange, head, this.#context)
    return { kind: 'handlers', fields: this.#status(head, undefined) }
  }

  /** The request is over, also where nothing was answered: nobody waits for it any longer. */
  over(): void {
    this.ended?.({ how: 'again' })
  }

  #settle(given: HandlerAnswer, head: ResponseHead): Sent {
    const { counters } = routeCacheOf(this.#exchange)
    const stale = isError(head.status) ? this.#stale(head) : undefined
    if (stale !== undefined) {
      counters.record('stale')
      this.ended?.({ how: 'failed', entry: this.#selected })
      return { kind: 'instead', answer: stale }
    }
    counters.record('miss')
    const added = [...entityTag(given), ...dateOf(head)]
    const whole: ResponseHead = { ...head, fields: [...head.fields, ...added] }
    const entry = this.#store(given, whole)
    this.ended?.(entry === undefined ? { how: 'alone' } : { how: 'again', entry })
    const isKept = this.#context.tier !== null || (entry !== undefined && entry.queue !== null)
    const status = this.#status(head, entry?.freshUntil, isKept ? 'stored' : 'not stored')
    if (preconditionOf(this.#exchange, whole) !== 'not-modified') {
      return { kind: 'handlers', fields: [...added, ...status] }
    }
    const fields = [...notModifiedFields(whole.fields), ...status]
    return { kind: 'instead', answer: { status: 304, fields, body: null } }
  }

  /** @returns what answers others, in memory or not; `undefined` where it is for nobody else */
  #store({ body, unrelated }: HandlerAnswer, head: ResponseHead): Entry | undefined {
    const { store, tier, purges, passes } = this.#context
    const { policy, counters } = routeCacheOf(this.#exchange)
    const { fields: request } = this.#exchange
    const storable = storabilityOf(this.#exchange, head, head.receivedAt)
    const vary = varyOf(head.fields, request.kept, policy)
    if (!storable.store || storable.part || vary === '*' || body === null || body.length > policy.maxEntryBytes) {
      const lasting = storable.store || storable.lasting
      if (lasting) passes.remember(this.#key, head.receivedAt)
      return undefined
    }
    const tags = tagsOf(this.#exchange, storable.fields)
    if (purges.blocked(this.#mark, this.#key, tags)) return undefined
    const fields = keptFields(storable.fields, unrelated)
    const stored = {
      ...head,
      fields,
      body: body.length <= STRING_BODY_BYTES ? body.toString('latin1') : Uint8Array.from(body),
      part: null,
      vary,
      tags,
    }
    counters.stores++
    passes.forget(this.#key)
    const times = timesOf(head, storable.lifespan)
    tier?.write(this.#key, stored, times.usableUntil)
    const kept = { key: this.#key, stored, times }
    return keep(store, policy, kept) ?? loose(policy, kept, true)
  }

  #stale(head: ResponseHead): Answer | undefined {
    const entry = this.#selected
    const { now } = this.#context
    if (entry === undefined || !servesOnFailure(entry, this.#exchange, { failure: 'error', now: now() }))
      return undefined
    const [, status = ''] = this.#status(head, entry.freshUntil, 'not stored')
    if (answerStored(this.#exchange, entry, status, now()) === 'unanswered') return undefined
    return (this.#exchange.reply as CollectedReply).answer
  }

  #status(head: ResponseHead, freshUntil: number | undefined, how: 'stored' | 'not stored' = 'stored'): string[] {
    const { policy } = routeCacheOf(this.#exchange)
    const member = forwardStatus({
      reason: this.#reason,
      status: head.status,
      ttl: freshUntil === undefined ? undefined : Math.floor((freshUntil - this.#context.now()) / 1000),
      stored: freshUntil !== undefined && how === 'stored',
      key: policy.details && this.#key !== '' ? this.#key : undefined,
    })
    return ['cache-status', member]
  }
}

/** Purges what the answer to an unsafe request makes invalid. */
export function invalidateBy(
  exchange: CacheExchange,
  head: ResponseHead,
  { readable, invalidate }: Pick<RunContext, 'readable' | 'invalidate'>,
): void {
  const selectors = invalidatedBy(exchange, head, readable)
  if (selectors.length > 0) invalidate(selectors)
}

/**
 * A tag of the body where the handler gave none. A weak one: hooks after this one may compress what is sent, and then
 * it is not these bytes any more (RFC 9110 §8.8.1).
 */
function entityTag({ status, fields, body }: HandlerAnswer): string[] {
  if (status !== 200 || body === null || fieldValue(fields, 'etag') !== undefined) return []
  return ['etag', `W/"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`]
}

/** A Date is always there (RFC 9110 §6.6.1), and the same for the client that the handler ran for as for the others. */
function dateOf({ fields, receivedAt }: ResponseHead): string[] {
  return fieldValue(fields, 'date') === undefined ? ['date', new Date(receivedAt).toUTCString()] : []
}

/** Without what concerns this request alone; the length is the body's own. */
function keptFields(fields: readonly string[], unrelated: ReadonlySet<string>): string[] {
  const kept: string[] = []
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string
    if (name === 'content-length' || (unrelated.has(name) && !ABOUT_THE_ANSWER.test(name))) continue
    kept.push(name, fields[i + 1] as string)
  }
  return kept
}
