import type { Exchange } from './exchange.ts'
import type { Prepared } from './prepared.ts'
import { RelayedReply } from './relayed-reply.ts'
import type { Reply } from './reply.ts'

/** Names of fields that a route alone speaks of: what an upstream says under them does not get to its clients. */
export class OwnNames {
  readonly #names: ReadonlySet<string>
  /** Stored answers without them: made once each, gone with them. */
  readonly #bare = new WeakMap<Prepared, Prepared>()

  /** @param names in lower case */
  constructor(names: Iterable<string>) {
    this.#names = new Set(names)
  }

  /** The fields that have other names; the list itself, where all do. */
  without(fields: readonly string[]): readonly string[] {
    if (!this.#isIn(fields)) return fields
    const rest: string[] = []
    for (let i = 0; i < fields.length; i += 2) {
      if (!this.#names.has(fields[i] as string)) rest.push(fields[i] as string, fields[i + 1] as string)
    }
    return rest
  }

  /** A stored answer without them; itself, where it has none. */
  bare(prepared: Prepared): Prepared {
    let bare = this.#bare.get(prepared)
    if (bare === undefined) {
      const { told } = prepared
      const fields = this.without(told.fields)
      bare = fields === told.fields ? prepared : { told: { ...told, fields }, head: undefined }
      this.#bare.set(prepared, bare)
    }
    return bare
  }

  #isIn(fields: readonly string[]): boolean {
    for (let i = 0; i < fields.length; i += 2) if (this.#names.has(fields[i] as string)) return true
    return false
  }
}

/** A reply with fields that concern its client alone: no cache stores them, whoever answers. */
class DressedReply extends RelayedReply {
  readonly #own: string[] = []
  #replaced: OwnNames | undefined
  /** Where several speak of names of their own. */
  #others: OwnNames[] | undefined

  static of(reply: Reply): DressedReply {
    return reply instanceof DressedReply ? reply : new DressedReply(reply)
  }

  add(name: string, value: string): void {
    this.#own.push(name, value)
  }

  replace(names: OwnNames): void {
    if (this.#replaced === undefined) this.#replaced = names
    else (this.#others ??= []).push(names)
  }

  override head(status: number, fields: string[], length: number | null): void {
    let rest: readonly string[] = fields
    if (this.#replaced !== undefined) rest = this.#replaced.without(rest)
    if (this.#others !== undefined) for (const names of this.#others) rest = names.without(rest)
    this.reply.head(status, rest.concat(this.#own), length)
  }

  override whole(prepared: Prepared, own: readonly string[]): void {
    let bare = prepared
    if (this.#replaced !== undefined) bare = this.#replaced.bare(bare)
    if (this.#others !== undefined) for (const names of this.#others) bare = names.bare(bare)
    this.reply.whole(bare, own.concat(this.#own))
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

/**
 * Adds fields to the final answer that this client gets, in place of all that its upstream says under some names.
 *
 * @param fields name, value, name, value; as for {@link dress}
 */
export function dressInstead(exchange: Exchange, names: OwnNames, fields: readonly string[]): void {
  const reply = DressedReply.of(exchange.reply)
  reply.replace(names)
  for (let i = 0; i < fields.length; i += 2) reply.add(fields[i] as string, fields[i + 1] as string)
  exchange.reply = reply
}
