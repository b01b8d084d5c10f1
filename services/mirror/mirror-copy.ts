import type { BodyCopy, Exchange } from '../downstream/exchange.ts'
import type { Reply } from '../downstream/reply.ts'
import type { RequestFields } from '../http/request-fields.ts'
import { GuardedCall } from '../proxy/guarded-call.ts'
import type { ProxyPlan, RoutePlan } from '../proxy/plan.ts'
import type { ProxyContext } from '../proxy/proxy-context.ts'
import type { RequestCopy } from '../proxy/route-mirror.ts'
import { streamOf } from '../downstream/content.ts'
import type { DropReason, MirrorCounts } from './counters.ts'

/** Tells a shadow what its requests are; nobody else can say it there. */
const MIRROR_FIELD = 'x-headrace-mirror'

/** What is read of a shadow's answer to spare its connection: so much, and for so long. */
const MOST_ANSWER_BYTES = 1_048_576
const LONGEST_ANSWER_MS = 60_000

export interface MirrorCopyParts {
  plan: ProxyPlan
  counts: MirrorCounts
  /** Of the request itself. */
  context: ProxyContext
  bodyBytes: number
  failed: (error: unknown) => void
  /** Called once, when nothing of the copy is left. */
  over: () => void
}

/**
 * One request once more, to the shadow: an ordinary call whose reply reads the answer and throws it away. With a body it
 * waits until that has gone by, whole and not too large. None of its methods throws.
 */
export class MirrorCopy implements RequestCopy, BodyCopy, Reply {
  closing = false
  gone = false
  readonly #parts: MirrorCopyParts
  readonly #exchange: Exchange<RoutePlan>
  readonly #fields: RequestFields
  /** Of the body so far; `null` where there is none to wait for. */
  #chunks: Buffer[] | null = null
  #bytes = 0
  #call: GuardedCall | undefined
  #status = 0
  #answered = 0
  #startedAt = 0
  #whole = false
  #over = false

  constructor(client: Exchange<RoutePlan>, parts: MirrorCopyParts) {
    this.#parts = parts
    this.#fields = Object.assign(Object.create(Object.getPrototypeOf(client.fields)), client.fields, {
      kept: marked(client.fields.kept),
      transferEncoding: undefined,
      expect: undefined,
      trailers: false,
    })
    this.#exchange = Object.assign(Object.create(Object.getPrototypeOf(client)), client, {
      fields: this.#fields,
      plan: parts.plan,
      reply: this,
      body: null,
      bodyCopy: undefined,
      work: undefined,
    })
    if (client.body === null) return
    this.#chunks = []
    client.bodyCopy = this
  }

  start(): void {
    if (this.#chunks === null) this.#send()
  }

  // What the request's body sees.

  take(chunk: Buffer): void {
    if (this.#chunks === null) return
    this.#bytes += chunk.length
    if (this.#bytes > this.#parts.bodyBytes) this.#drop('body_too_large')
    // A piece is a part of what was read at once, and would keep all of that.
    else this.#chunks.push(Buffer.from(chunk))
  }

  complete(): void {
    if (this.#chunks === null) return
    const body = Buffer.concat(this.#chunks)
    this.#chunks = null
    this.#fields.contentLength = String(body.length)
    this.#exchange.body = streamOf(body)
    this.#send()
  }

  lost(): void {
    if (this.#chunks !== null) this.#drop('body_incomplete')
  }

  // What the call sees: a reply like any other.

  get headSent(): boolean {
    return this.#status !== 0
  }

  continue(): void {}

  informational(): void {}

  head(status: number): void {
    this.#status = status
  }

  write(chunk: Uint8Array): boolean {
    this.#answered += chunk.length
    if (this.#answered <= MOST_ANSWER_BYTES && performance.now() - this.#startedAt <= LONGEST_ANSWER_MS) return true
    // More says nothing new; what is asked next is worth more than this connection.
    this.#whole = true
    this.gone = true
    return false
  }

  drained(): void {}

  closed(): void {}

  end(): void {
    this.#whole = true
  }

  whole(): void {
    throw new TypeError('a shadow does not answer from a store')
  }

  abort(): void {
    this.gone = true
  }

  #send(): void {
    const { context, plan, counts, failed } = this.#parts
    try {
      this.#startedAt = performance.now()
      Object.assign(this.#exchange, { arrivedAt: this.#startedAt })
      counts.sent++
      const ends = {
        toClient: false,
        sendTimeoutMs: 0,
        refuse: () => this.#finish(),
        broke: (_exchange: unknown, error: unknown) => {
          failed(error)
          this.#finish()
        },
        finish: () => this.#finish(),
      }
      this.#call = new GuardedCall({ ...context, ...ends }, this.#exchange, plan)
      this.#call.start()
    } catch (error) {
      failed(error)
      this.#finish()
    }
  }

  #drop(reason: DropReason): void {
    this.#chunks = null
    this.#parts.counts.dropped[reason]++
    this.#end()
  }

  #finish(): void {
    if (!this.#whole && !this.#over) this.#parts.counts.failed++
    this.#end()
  }

  #end(): void {
    if (this.#over) return
    this.#over = true
    this.#parts.over()
  }
}

/** What goes on to the upstream, and the mark; a client's own is left out. */
function marked(kept: readonly string[]): string[] {
  const copied: string[] = []
  for (let i = 0; i < kept.length; i += 2) {
    const name = kept[i] as string
    if (name.length !== MIRROR_FIELD.length || name.toLowerCase() !== MIRROR_FIELD) {
      copied.push(name, kept[i + 1] as string)
    }
  }
  copied.push(MIRROR_FIELD, '1')
  return copied
}
