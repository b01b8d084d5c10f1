import type { Exchange } from '../downstream/exchange.ts'
import { decodedParameterName } from '../http/query-text.ts'
import type { QueryChanges } from './options.ts'
import { Template } from './template.ts'

/** Changes to a query, compiled. What they do not name stays as it was written, to the byte. */
export class CompiledQuery {
  readonly #removed: ReadonlySet<string>
  readonly #renamed: ReadonlyMap<string, string>
  readonly #set: readonly { name: string; template: Template }[]

  /** @param parameters of the route, by their names */
  constructor({ set, remove, rename }: QueryChanges, parameters: readonly string[]) {
    this.#removed = new Set([...remove, ...set.map(([name]) => name)])
    this.#renamed = new Map(rename)
    this.#set = set.map(([name, text]) => ({ name, template: new Template(text, parameters) }))
  }

  /** The query that is sent, with its question mark; empty for none. Values are percent-encoded: none begins another. */
  apply(exchange: Exchange): string {
    const { query } = exchange
    const pieces: string[] = []
    for (const piece of query.length > 1 ? query.slice(1).split('&') : []) {
      const at = piece.indexOf('=')
      const name = decodedParameterName(at === -1 ? piece : piece.slice(0, at))
      const renamed = this.#renamed.get(name)
      if (renamed !== undefined) pieces.push(encodeURIComponent(renamed) + (at === -1 ? '' : piece.slice(at)))
      else if (!this.#removed.has(name)) pieces.push(piece)
    }
    for (const { name, template } of this.#set) {
      const value = template.render(exchange)
      if (value !== undefined) pieces.push(`${encodeURIComponent(name)}=${encodeURIComponent(value.toWellFormed())}`)
    }
    return pieces.length === 0 ? '' : `?${pieces.join('&')}`
  }
}
