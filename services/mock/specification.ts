import { isObject, own, textOf, type Json, type JsonObject } from '../openapi/document.ts'
import { ReferenceResolver } from '../openapi/references.ts'
import { upgradeSchema } from '../openapi/upgrade.ts'

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
      const pointer = this.#references.resolve(reference)
      if (pointer === null) return {}
      here = this.#references.at(pointer)
    }
    return {}
  }

  /** A schema in the words of OpenAPI 3.1. */
  schema(node: Json | undefined): JsonObject {
    const schema = this.object(node)
    return this.#isOld ? upgradeSchema(schema) : schema
  }
}
