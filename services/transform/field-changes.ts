import type { Exchange } from '../downstream/exchange.ts'
import { sendableValue } from './field-names.ts'
import type { FieldChanges } from './options.ts'
import { Template } from './template.ts'

/** Changes to the fields of a message, compiled. */
export class CompiledFields {
  readonly #removed: ReadonlySet<string>
  readonly #renamed: ReadonlyMap<string, string>
  readonly #added: readonly { name: string; template: Template }[]

  /** @param parameters of the route, by their names */
  constructor({ set, add, remove, rename }: FieldChanges, parameters: readonly string[]) {
    // What is set takes the place of what was there.
    this.#removed = new Set([...remove, ...set.map(([name]) => name)])
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
      if (renamed === undefined && this.#removed.has(lower)) continue
      fields[end] = renamed ?? (fields[i] as string)
      fields[end + 1] = fields[i + 1] as string
      end += 2
    }
    fields.length = end
    for (const one of added) fields.push(one)
  }
}
