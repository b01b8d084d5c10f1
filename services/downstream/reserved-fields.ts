import { FieldNames } from '../http/field-names.ts'

/**
 * Request fields that the gateway alone writes. Whatever a client sends in one is dropped before anybody looks at it, in any
 * case, and with underscores for hyphens too: to servers that make variables of fields (CGI, WSGI, PHP) these are one name.
 */
export class ReservedFields {
  readonly #names: ReadonlySet<string>
  readonly #shapes: FieldNames

  /** @param names in lower case, with hyphens */
  constructor(names: readonly string[]) {
    this.#names = new Set(names)
    this.#shapes = new FieldNames(names)
  }

  /** @param kept name, value, name, value: changed in place */
  drop(kept: string[]): void {
    for (let i = 0; i < kept.length; i += 2) {
      if (this.#shapes.mayHave(kept[i] as string) && this.#has(kept[i] as string)) {
        this.#dropFrom(kept, i)
        return
      }
    }
  }

  #dropFrom(kept: string[], first: number): void {
    let end = first
    for (let i = first + 2; i < kept.length; i += 2) {
      if (this.#has(kept[i] as string)) continue
      kept[end] = kept[i] as string
      kept[end + 1] = kept[i + 1] as string
      end += 2
    }
    kept.length = end
  }

  #has(name: string): boolean {
    return this.#names.has(name.toLowerCase().replaceAll('_', '-'))
  }
}
