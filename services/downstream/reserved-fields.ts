import { FieldNames, foldedName } from '../http/field-names.ts'

/** What a name may have beside letters and digits (RFC 9110 §5.6.2). */
const MARKS = Array.from("!#$%&'*+-.^_`|~")

/**
 * Request fields that the gateway alone writes. Whatever a client sends in one is dropped before anybody looks at it, in any
 * case, and with whatever other mark for a hyphen.
 */
export class ReservedFields {
  readonly #names: ReadonlySet<string>
  readonly #shapes: FieldNames

  constructor(names: readonly string[]) {
    const folded = names.map(foldedName)
    this.#names = new Set(folded)
    // Shapes go by the first character, which may be a mark as well.
    this.#shapes = new FieldNames(
      folded.flatMap((name) => (name.startsWith('-') ? MARKS.map((mark) => mark + name.slice(1)) : name)),
    )
  }

  /** @param kept name, value, name, value */
  isIn(kept: readonly string[]): boolean {
    for (let i = 0; i < kept.length; i += 2) if (this.has(kept[i] as string)) return true
    return false
  }

  /** @param kept name, value, name, value: changed in place */
  drop(kept: string[]): void {
    for (let i = 0; i < kept.length; i += 2) {
      if (this.has(kept[i] as string)) {
        this.#dropFrom(kept, i)
        return
      }
    }
  }

  #dropFrom(kept: string[], first: number): void {
    let end = first
    for (let i = first + 2; i < kept.length; i += 2) {
      if (this.has(kept[i] as string)) continue
      kept[end] = kept[i] as string
      kept[end + 1] = kept[i + 1] as string
      end += 2
    }
    kept.length = end
  }

  /** @param name in any case */
  has(name: string): boolean {
    return this.#shapes.mayHave(name) && this.#names.has(foldedName(name))
  }
}
