import type { Prepared } from '../downstream/prepared.ts'
import { RelayedReply } from '../downstream/relayed-reply.ts'
import type { Reply } from '../downstream/reply.ts'

/** Told of a final head: fields as {@link Reply.head} gets them. */
export type OnHead = (status: number, fields: readonly string[], length: number | null) => void

/** A reply whose final head somebody is told of before it goes on. */
export class ObservedReply extends RelayedReply {
  readonly #onHead: OnHead

  constructor(reply: Reply, onHead: OnHead) {
    super(reply)
    this.#onHead = onHead
  }

  override head(status: number, fields: string[], length: number | null): void {
    this.#onHead(status, fields, length)
    this.reply.head(status, fields, length)
  }

  override whole(prepared: Prepared, own: readonly string[]): void {
    const { status, fields, body } = prepared.told
    this.#onHead(status, fields, body.length)
    this.reply.whole(prepared, own)
  }
}

/** The origin's fields: what the gateway says to this one client stands behind them, its request id first. */
export function endToEnd(fields: readonly string[]): string[] {
  const own = fields.indexOf('x-request-id')
  return own === -1 ? [...fields] : fields.slice(0, own)
}
