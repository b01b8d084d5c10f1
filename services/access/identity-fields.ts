import type { Exchange } from '../downstream/exchange.ts'
import type { Identity } from '../downstream/identity.ts'
import type { IdentityFieldNames } from './options.ts'

/** What is not visible ASCII, what separates items, and the sign of the encoding itself. */
const IN_ITEM = /[^\u0021-\u007e]|[%,]/gu
const IN_TEXT = /[^\u0021-\u007e]|%/gu

/**
 * Tells upstreams who calls. What stands in a token may be any text: all but visible ASCII is percent-encoded as UTF-8, so
 * that no value can end its field or start another.
 */
export class IdentityFields {
  readonly #names: IdentityFieldNames
  /** As they were written for an identity before: name, value, name, value. */
  readonly #written = new WeakMap<Identity, readonly string[]>()

  constructor(names: IdentityFieldNames) {
    this.#names = names
  }

  /** What nobody else may send. */
  get reserved(): readonly string[] {
    const { caller, groups, scopes } = this.#names
    return [caller, groups, scopes]
  }

  /** Adds them to what goes upstream; to be called once a request. */
  addTo({ fields: { kept } }: Pick<Exchange, 'fields'>, identity: Identity): void {
    let written = this.#written.get(identity)
    if (written === undefined) {
      written = this.#write(identity)
      this.#written.set(identity, written)
    }
    for (let i = 0; i < written.length; i++) kept.push(written[i] as string)
  }

  #write({ id, groups, scopes }: Identity): string[] {
    const { caller, groups: groupsField, scopes: scopesField } = this.#names
    return [
      caller,
      encoded(id, IN_TEXT),
      ...(groups.length > 0 ? [groupsField, groups.map((group) => encoded(group, IN_ITEM)).join(',')] : []),
      ...(scopes.length > 0 ? [scopesField, scopes.map((scope) => encoded(scope, IN_TEXT)).join(' ')] : []),
    ]
  }
}

function encoded(text: string, pattern: RegExp): string {
  return text.toWellFormed().replace(pattern, (character) => escaped(character))
}

function escaped(character: string): string {
  let text = ''
  for (const byte of Buffer.from(character)) text += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  return text
}
