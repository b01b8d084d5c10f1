import type { Prepared } from '../downstream/prepared.ts'
import type { Reply } from '../downstream/reply.ts'

/** Told of a final head: fields as {@link Reply.head} gets them. */
export type OnHead = (status: number, fields: readonly string[], length: number | null) => void

/** A reply whose final head somebody is told of before it goes on. */
export class ObservedReply implements Reply {
  readonly #reply: Reply
  readonly #onHead: OnHead

  constructor(reply: Reply, onHead: OnHead) {
    this.#reply = reply
    this.#onHead = onHead
  }

  get gone(): boolean {
    return this.#reply.gone
  }

  get headSent(): boolean {
    return this.#reply.headSent
  }

  get closing(): boolean {
    return this.#reply.closing
  }

  set closing(closing: boolean) {
    this.#reply.closing = closing
  }

  continue(): void {
    this.#reply.continue()
  }

  informational(status: number, fields: string[]): void {
    this.#reply.informational(status, fields)
  }

  head(status: number, fields: string[], length: number | null): void {
    this.#onHead(status, fields, length)
    this.#reply.head(status, fields, length)
  }

  write(chunk: Uint8Array): boolean {
    return this.#reply.write(chunk)
  }

  drained(callback: () => void): void {
    this.#reply.drained(callback)
  }

  end(chunk?: Uint8Array, trailers?: string[]): void {
    this.#reply.end(chunk, trailers)
  }

  whole(prepared: Prepared, own: readonly string[]): void {
    const { status, fields, body } = prepared.told
    this.#onHead(status, fields, body.length)
    this.#reply.whole(prepared, own)
  }

  closed(callback: () => void): void {
    this.#reply.closed(callback)
  }

  abort(): void {
    this.#reply.abort()
  }
}

/** The origin's fields: what the gateway says to this one client stands behind them, its request id first. */
export function endToEnd(fields: readonly string[]): string[] {
  const own = fields.indexOf('x-request-id')
  return own === -1 ? [...fields] : fields.slice(0, own)
}
