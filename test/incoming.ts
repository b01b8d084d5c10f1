import type { Field } from './wire.ts'

export interface ResponseHead {
  status: number
  fields: Field[]
  get(name: string): string | undefined
}

export interface ClientResponse extends ResponseHead {
  /** 1xx responses that came before. */
  informational: ResponseHead[]
  body: Buffer
  trailers: Field[]
}

/** The response broke off: the connection or stream ended before the message did. */
export class BrokenResponse extends Error {
  override name = 'BrokenResponse'
  /** What had come of it. */
  readonly partial: Partial<ClientResponse>

  constructor(message: string, partial: Partial<ClientResponse>) {
    super(message)
    this.partial = partial
  }
}

/** One response as it arrives: its head, its body piece by piece, its end. */
export class Incoming {
  readonly informational: ResponseHead[] = []
  readonly #head = Promise.withResolvers<ResponseHead>()
  readonly #whole = Promise.withResolvers<ClientResponse>()
  readonly #kept: Buffer[] = []
  readonly #keep: boolean
  #unread: Buffer[] = []
  #onInterim: ((head: ResponseHead) => void) | undefined
  #reading: PromiseWithResolvers<Buffer | null> | undefined
  #settledHead: ResponseHead | undefined
  #ended: ClientResponse | BrokenResponse | undefined
  /** Bytes of the body received. */
  received = 0

  constructor(keep = true) {
    this.#keep = keep
    // Whoever asks is told; a test that asks for neither is not brought down by it.
    this.#head.promise.catch(() => undefined)
    this.#whole.promise.catch(() => undefined)
  }

  /** The final head. @throws {BrokenResponse} */
  head(): Promise<ResponseHead> {
    return this.#head.promise
  }

  /** The first interim head that comes from now on. The test's own patience is its end. */
  interim(): Promise<ResponseHead> {
    return new Promise((resolve) => (this.#onInterim = resolve))
  }

  /** The whole response. @throws {BrokenResponse} */
  whole(): Promise<ClientResponse> {
    return this.#whole.promise
  }

  /** How it ended: whole, or broken. Never rejects. */
  async ending(): Promise<'complete' | 'broken'> {
    return this.#whole.promise.then(
      () => 'complete',
      () => 'broken',
    )
  }

  /** The next bytes of the body, in the pieces they arrived in; null at its end. @throws {BrokenResponse} */
  chunk(): Promise<Buffer | null> {
    const next = this.#unread.shift()
    if (next) return Promise.resolve(next)
    if (this.#ended instanceof BrokenResponse) return Promise.reject(this.#ended)
    if (this.#ended) return Promise.resolve(null)
    this.#reading ??= Promise.withResolvers()
    return this.#reading.promise
  }

  /** Whether the final head has come. */
  get hasHead(): boolean {
    return this.#settledHead !== undefined
  }

  /** The methods below are the connection's. */
  onInterim(head: ResponseHead): void {
    this.informational.push(head)
    this.#onInterim?.(head)
  }

  onHead(head: ResponseHead): void {
    this.#settledHead = head
    this.#head.resolve(head)
  }

  onBody(chunk: Buffer): void {
    this.received += chunk.length
    if (!this.#keep) return
    this.#kept.push(chunk)
    if (this.#reading) this.#reading.resolve(chunk)
    else this.#unread.push(chunk)
    this.#reading = undefined
  }

  onEnd(trailers: Field[]): void {
    if (this.#ended || !this.#settledHead) return
    const body = Buffer.concat(this.#kept)
    this.#ended = { ...this.#settledHead, informational: this.informational, body, trailers }
    this.#whole.resolve(this.#ended)
    this.#reading?.resolve(null)
  }

  onBreak(reason: string): void {
    if (this.#ended) return
    const partial = { ...this.#settledHead, informational: this.informational, body: Buffer.concat(this.#kept) }
    this.#ended = new BrokenResponse(reason, partial)
    this.#head.reject(this.#ended)
    this.#whole.reject(this.#ended)
    this.#reading?.promise.catch(() => undefined)
    this.#reading?.reject(this.#ended)
  }
}
