import type { Exchange } from '../downstream/exchange.ts'
import { ReservedFields } from '../downstream/reserved-fields.ts'
import { sendableValue } from './field-names.ts'
import type { FieldChanges } from './options.ts'
import { Template } from './template.ts'

/** Changes to the fields of a message, compiled. */
export class CompiledFields {
  readonly #removed: ReadonlySet<string>
  /** Those of the requests of clients, whom a server must not take at their word under a name that is alike. */
  readonly #alike: ReservedFields | null
  readonly #renamed: ReadonlyMap<string, string>
  readonly #added: readonly { name: string; template: Template }[]

  /** @param parameters of the route, by their names */
  constructor(
    { set, add, remove, rename }: FieldChanges,
    parameters: readonly string[],
    side: 'request' | 'response' = 'response',
  ) {
    // What is set takes the place of what was there.
    const removed = [...remove, ...set.map(([name]) => name)]
    this.#removed = new Set(removed)
    this.#alike = side === 'request' ? new ReservedFields(removed) : null
    this.#renamed = new Map(rename)
    this.#added = [...set, ...add].map(([name, text]) => ({ name, template: new Template(text, parameters) }))
  }

  /**
   * Removes, renames, sets and adds, in this order, in the list itself. A value that is not there, or has what could end a
   * field, leaves its field out.
   *
   * @param fields name, value, name, value; names in any case
   */
  apply(fields: string[], exchange: Exchange): void {
    const added: string[] = []
    // First, by what has come: templates name fields that may be removed.
    for (const { name, template } of this.#added) {
      const text = template.render(exchange)
      const value = text === undefined ? undefined : sendableValue(text)
      if (value !== undefined) added.push(name, value)
    }
    let end = 0
    for (let i = 0; i < fields.length; i += 2) {
      const lower = (fields[i] as string).toLowerCase()
      const renamed = this.#renamed.get(lower)
      if (renamed === undefined && (this.#removed.has(lower) || this.#alike?.has(lower) === true)) continue
      fields[end] = renamed ?? (fields[i] as string)
      fields[end + 1] = fields[i + 1] as string
      end += 2
    }
    fields.length = end
    for (const one of added) fields.push(one)
  }
}
