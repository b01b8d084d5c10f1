import type { Exchange } from './exchange.ts'
import type { Prepared } from './prepared.ts'
import { RelayedReply } from './relayed-reply.ts'
import type { Reply } from './reply.ts'

/** A reply with fields that concern its client alone: no cache stores them, whoever answers. */
class DressedReply extends RelayedReply {
  readonly #own: string[] = []

  static of(reply: Reply): DressedReply {
    return reply instanceof DressedReply ? reply : new DressedReply(reply)
  }

  add(name: string, value: string): void {
    this.#own.push(name, value)
  }

  override head(status: number, fields: string[], length: number | null): void {
    this.reply.head(status, [...fields, ...this.#own], length)
  }

  override whole(prepared: Prepared, own: readonly string[]): void {
    this.reply.whole(prepared, [...own, ...this.#own])
  }
}

/**
 * Adds a field to the final answer that this client gets, a problem as well: a limit's state, what a browser may do. Behind
 * what other fields of that name there are.
 *
 * @param name in lower case; it and `value` are the gateway's own, or checked
 */
export function dress(exchange: Exchange, name: string, value: string): void {
  const reply = DressedReply.of(exchange.reply)
  reply.add(name, value)
  exchange.reply = reply
}
