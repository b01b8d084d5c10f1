import { isObject, own, textOf, type Json, type JsonObject } from './document.ts'
import { type Pointer, ReferenceResolver } from './references.ts'
import { upgradeSchema } from './upgrade.ts'

/** References that lead to references; more is a circle. */
const MOST_STEPS = 16

/** A document, and what its references mean. */
export class Specification {
  readonly #references: ReferenceResolver
  readonly #isOld: boolean

  constructor(document: JsonObject) {
    this.#references = new ReferenceResolver(document)
    this.#isOld = textOf(document['openapi']).startsWith('3.0')
  }

  /** What a node means, which may be a reference; an empty object where that leads nowhere, or elsewhere. */
  object(node: Json | undefined): JsonObject {
    let here = isObject(node) ? node : {}
    for (let step = 0; step < MOST_STEPS; step++) {
      const reference = own(here, '$ref')
      if (typeof reference !== 'string') return here
      const found = this.find(reference)
      if (found === null) return {}
      here = found.node
    }
    return {}
  }

  /** A schema in the words of OpenAPI 3.1. */
  schema(node: Json | undefined): JsonObject {
    return this.upgraded(this.object(node))
  }

  /** One schema in the words of OpenAPI 3.1; its children, and a reference in it, are left as they are. */
  upgraded(schema: JsonObject): JsonObject {
    return this.#isOld ? upgradeSchema(schema) : schema
  }

  /** What a reference means; `null` where it leads nowhere, or to another document. */
  find(reference: string): { at: Pointer; node: JsonObject } | null {
    const at = this.#references.resolve(reference)
    return at === null ? null : { at, node: this.#references.at(at) }
  }
}
