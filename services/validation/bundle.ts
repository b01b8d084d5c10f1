import { isObject, objectOf, own, without, type Json, type JsonObject } from '../openapi/document.ts'
import type { Specification } from '../openapi/specification.ts'
import { mapChildren } from '../openapi/structure.ts'

/** Who sends what a schema is about: a property that is `readOnly` is none of requests, `writeOnly` none of responses. */
export type Direction = 'request' | 'response'

/** Schemas within schemas; more is taken as anything. */
const MOST_DEPTH = 200

/** Says nothing about values, or is what a bundle does by other means. */
const LEFT_OUT = [
  '$id',
  '$schema',
  '$anchor',
  '$dynamicAnchor',
  '$defs',
  'definitions',
  'discriminator',
  'xml',
  'example',
  'examples',
  'default',
  'externalDocs',
]

/**
 * A schema of a document as one of JSON Schema 2020-12 that stands alone: what it refers to is among its `$defs`. A reference
 * that leads nowhere lets anything be.
 */
export function bundle(specification: Specification, schema: Json, direction: Direction): JsonObject {
  const bundler = new Bundler(specification, direction)
  const root = bundler.convert(schema, 0)
  return { ...(isObject(root) ? root : { not: {} }), $defs: bundler.definitions }
}

class Bundler {
  readonly definitions: JsonObject = {}
  readonly #names = new Map<string, string>()
  readonly #specification: Specification
  readonly #direction: Direction

  constructor(specification: Specification, direction: Direction) {
    this.#specification = specification
    this.#direction = direction
  }

  convert(node: Json, depth: number): Json {
    if (!isObject(node)) return node !== false
    if (depth > MOST_DEPTH) return {}
    const given = this.#specification.upgraded(node)
    const schema = this.#required(without(given, ...LEFT_OUT))
    const converted = mapChildren('schemas', schema, (_kind, child) => this.convert(child, depth + 1) as JsonObject)
    const reference = own(given, '$ref') ?? own(given, '$dynamicRef')
    if (typeof reference !== 'string') return converted
    return { ...without(converted, '$dynamicRef'), $ref: this.#refer(reference) }
  }

  #refer(reference: string): string {
    const found = this.#specification.find(reference)
    const key = found === null ? '' : JSON.stringify(found.at)
    let name = this.#names.get(key)
    if (name === undefined) {
      this.#names.set(key, (name = `s${this.#names.size}`))
      // Its place is known before it is filled: a schema may have itself within it.
      this.definitions[name] = {}
      if (found !== null) this.definitions[name] = this.convert(found.node, 0)
    }
    return `#/$defs/${name}`
  }

  /** Less what the other side alone sends. */
  #required(schema: JsonObject): JsonObject {
    const required = own(schema, 'required')
    if (!Array.isArray(required)) return schema
    const properties = objectOf(own(schema, 'properties'))
    const mark = this.#direction === 'request' ? 'readOnly' : 'writeOnly'
    const left = required.filter((name) => {
      const property = typeof name === 'string' ? own(properties, name) : undefined
      return own(this.#specification.object(property), mark) !== true
    })
    return left.length === required.length ? schema : { ...schema, required: left }
  }
}
