import type { Cancellable } from '../../downstream/exchange.ts'
import type { Reply } from '../../downstream/reply.ts'
import type { GatewayError } from '../../http/problem.ts'
import type { CacheExchange } from '../context.ts'
import type { ResponseHead } from '../rules/message.ts'
import type { PurgeMark } from '../store/purge-log.ts'
import type { Completed } from './completion.ts'
import type { Errand } from './errand.ts'
import type { SharedBody } from './shared-body.ts'

/** What becomes of the origin's answer, once its head is known. */
export type Verdict =
  /** It goes to everybody whose request it fits, and into the store when it has come whole. */
  | { kind: 'share'; keepBytes: number; completed?: Completed | undefined }
  /** It is for the one whose request was sent on. */
  | { kind: 'private' }
  /** Everybody is answered from the store instead: it says that what is stored is good, or is an error. */
  | { kind: 'stored' }
  /** It cannot be used: the origin is asked again, without a condition. */
  | { kind: 'again' }

/** A client that waits for what a flight brings. */
export class Waiter implements Cancellable {
  readonly exchange: CacheExchange
  /** It came when the flight was under way: another's request answers it. */
  readonly collapsed: boolean
  /** What had been purged when it came. */
  readonly mark: PurgeMark
  readonly #flight: Flight

  constructor(flight: Flight, exchange: CacheExchange, { collapsed, mark }: { collapsed: boolean; mark: PurgeMark }) {
    this.#flight = flight
    this.exchange = exchange
    this.collapsed = collapsed
    this.mark = mark
  }

  /** The client has left. */
  cancel(): void {
    this.#flight.leave(this)
  }
}

/** What a flight asks of who began it. Each is called at most once a flight, but for `send`. */
export interface FlightOwner {
  /** The head has come. */
  judge(flight: Flight, head: ResponseHead, length: number | null): Verdict
  /** The waiters' answer is in the store (verdict `stored`). */
  answerStored(flight: Flight, waiters: readonly Waiter[]): void
  /** One waiter is to be answered from the flight: head and body. @returns `false` where this answer is not for it */
  answerShared(flight: Flight, waiter: Waiter): boolean
  /** The same, for one who came when the head was there: as from the store. */
  answerLate(flight: Flight, waiter: Waiter): boolean
  /** A waiter's client has left before there was an answer. */
  left(waiter: Waiter): void
  /** Waiters that cannot have this answer: they need one of their own. */
  release(flight: Flight, waiters: readonly Waiter[]): void
  /** The verdict was `again`. */
  again(flight: Flight, waiters: readonly Waiter[]): void
  /** No answer could be had. */
  fail(flight: Flight, waiters: readonly Waiter[], error: GatewayError): void
  /** A kept body has come whole. */
  commit(flight: Flight, body: SharedBody): void
  /** It takes no more waiters. */
  landed(flight: Flight): void
  /** Milliseconds since 1970. */
  now(): number
  mark(): PurgeMark
  /** For an answer that begins. @param limit bytes up to which it is kept */
  createBody(limit: number): SharedBody
}

/** Bytes of a body that nobody wants which are read to spare a connection; more, and it is closed. */
const DISCARD_BYTES = 65_536

/**
 * One request to the origin for everybody who wants the same (collapsed forwarding, RFC 9111 §4). It is the reply of the
 * request that the gateway makes, and outlives the client that caused it: the answer streams to all who wait, each at its
 * own pace, and into the store. What proves private goes to the one whose request was sent on, and to nobody where that
 * one has left; the others are released at once.
 */
export class Flight implements Reply {
  closing = false
  readonly key: string
  /** What it is sent for. */
  readonly errand: Errand
  /** When the request was sent: milliseconds since 1970. */
  readonly requestedAt: number
  /** The gateway's own request; its reply is this flight. */
  request!: CacheExchange
  answer: ResponseHead | undefined
  length: number | null = null
  body: SharedBody | undefined
  /** Stored bytes that follow those that come. */
  #after: Uint8Array | undefined
  readonly #owner: FlightOwner
  /** Nobody has to be waiting: a refresh of what is stored. */
  readonly background: boolean
  #waiters: Waiter[] = []
  #stage: 'asking' | 'sharing' | 'private' | 'discarding' | 'over' = 'asking'
  #discarded = 0

  constructor(owner: FlightOwner, options: { key: string; errand: Errand; requestedAt: number; background: boolean }) {
    this.#owner = owner
    this.key = options.key
    this.errand = options.errand
    this.requestedAt = options.requestedAt
    this.background = options.background
  }

  /** Further requests may join: the answer is not here yet, or is here from its first byte. */
  get open(): boolean {
    return this.#stage === 'asking' || (this.#stage === 'sharing' && this.body?.kept === true)
  }

  get waiting(): number {
    return this.#waiters.length
  }

  /** @returns `false` where the answer that is coming is not for this request */
  join(exchange: CacheExchange): boolean {
    const collapsed = this.background || this.#waiters.length > 0 || this.#stage !== 'asking'
    const waiter = new Waiter(this, exchange, { collapsed, mark: this.#owner.mark() })
    if (this.#stage === 'sharing') return this.#owner.answerLate(this, waiter)
    this.#waiters.push(waiter)
    exchange.work = waiter
    return true
  }

  leave(waiter: Waiter): void {
    const at = this.#waiters.indexOf(waiter)
    if (at === -1) return
    this.#waiters.splice(at, 1)
    this.#owner.left(waiter)
    this.abandonIfUnwanted()
  }

  /** Ends the request where nobody is left whom its answer could serve, the store included. */
  abandonIfUnwanted(): void {
    if (this.#waiters.length > 0 || this.#stage === 'over') return
    if (this.#stage === 'asking') {
      if (!this.background) this.#abandon()
    } else if (this.body !== undefined && this.body.readers === 0 && !this.body.kept) {
      this.#abandon()
    }
  }

  /** No answer: called instead of `head`. */
  refused(error: GatewayError): void {
    if (this.#stage !== 'asking') return
    this.#land()
    this.#owner.fail(this, this.#take(), error)
  }

  // What the upstream call sees: a reply like any other.

  get gone(): boolean {
    return this.#stage === 'over'
  }

  get headSent(): boolean {
    return this.#stage !== 'asking'
  }

  continue(): void {}

  informational(status: number, fields: string[]): void {
    // Whether the answer is for others, too, its head will say.
    const leader = this.#waiters.find(({ exchange }) => exchange === this.errand.client)
    leader?.exchange.reply.informational(status, fields)
  }

  head(status: number, fields: string[], length: number | null): void {
    const head: ResponseHead = { status, fields, requestedAt: this.requestedAt, receivedAt: this.#owner.now() }
    this.answer = head
    this.length = length
    const verdict = this.#owner.judge(this, head, length)
    switch (verdict.kind) {
      case 'share':
        this.#stage = 'sharing'
        this.body = this.#owner.createBody(verdict.keepBytes)
        this.#complete(verdict.completed)
        break
      case 'private':
        this.#stage = 'private'
        this.body = this.#owner.createBody(0)
        this.#owner.landed(this)
        this.#share()
        break
      case 'stored':
        this.#land('discarding')
        this.#owner.answerStored(this, this.#take())
        break
      case 'again':
        this.#land('discarding')
        this.#owner.again(this, this.#take())
        break
    }
  }

  write(chunk: Uint8Array): boolean {
    if (this.body !== undefined) {
      const ahead = this.body.push(chunk)
      if (!this.body.kept) {
        if (this.#stage === 'sharing') {
          this.#stage = 'private'
          this.#owner.landed(this)
        }
        this.abandonIfUnwanted()
      }
      return ahead
    }
    this.#discarded += chunk.length
    if (this.#discarded > DISCARD_BYTES) this.#abandon()
    return true
  }

  drained(callback: () => void): void {
    this.body?.drained(callback)
  }

  end(chunk?: Uint8Array, trailers?: string[]): void {
    if (chunk !== undefined) this.write(chunk)
    if (this.#after !== undefined) this.write(this.#after)
    const { body } = this
    const shared = this.#stage === 'sharing'
    this.#land()
    if (body === undefined) return
    // First into the store: whoever asks once the answer has been seen finds it there.
    if (shared && body.kept) this.#owner.commit(this, body)
    body.complete(trailers)
  }

  whole(): void {
    throw new TypeError('an origin does not answer from a store')
  }

  closed(): void {
    throw new TypeError('whether a client is there, its own reply knows')
  }

  abort(): void {
    this.#land()
    this.body?.fail()
  }

  /** Shares the answer, in the place of which there is the whole where the origin has completed a stored part. */
  #complete(completed: Completed | undefined): void {
    if (completed === undefined) return this.#share()
    this.answer = completed.head
    this.length = completed.length
    this.#after = completed.after
    this.#share()
    if (completed.before !== undefined) this.write(completed.before)
  }

  #share(): void {
    const released: Waiter[] = []
    for (const waiter of this.#take()) if (!this.#owner.answerShared(this, waiter)) released.push(waiter)
    if (released.length > 0) this.#owner.release(this, released)
    this.abandonIfUnwanted()
  }

  #take(): Waiter[] {
    const waiters = this.#waiters
    this.#waiters = []
    return waiters
  }

  #land(stage: 'discarding' | 'over' = 'over'): void {
    const wasOpen = this.#stage === 'asking' || this.#stage === 'sharing'
    this.#stage = stage
    if (wasOpen) this.#owner.landed(this)
  }

  #abandon(): void {
    this.#land()
    this.body?.fail()
    this.request.work?.cancel()
  }
}
