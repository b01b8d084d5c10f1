import type { Exchange } from '../downstream/exchange.ts'
import type { Prepared } from '../downstream/prepared.ts'
import { RelayedReply } from '../downstream/relayed-reply.ts'

/** A reply that notes how many bytes of a body go to its client, as they are coded. */
export class CountedReply extends RelayedReply {
  readonly #exchange: Exchange

  constructor(exchange: Exchange) {
    super(exchange.reply)
    this.#exchange = exchange
  }

  override write(chunk: Uint8Array): boolean {
    this.#exchange.sentBytes += chunk.length
    return this.reply.write(chunk)
  }

  override end(chunk?: Uint8Array, trailers?: string[]): void {
    this.#exchange.sentBytes += chunk?.length ?? 0
    this.reply.end(chunk, trailers)
  }

  override whole(prepared: Prepared, own: readonly string[]): void {
    if (this.#exchange.method !== 'HEAD') this.#exchange.sentBytes += prepared.told.body.length
    this.reply.whole(prepared, own)
  }
}
