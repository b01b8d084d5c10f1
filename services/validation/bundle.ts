import { isObject, objectOf, objectsOf, own, without, type Json, type JsonObject } from '../openapi/document.ts'
import type { Specification } from '../openapi/specification.ts'
import { mapChildren } from '../openapi/structure.ts'
import { soundSchema } from './sound-schema.ts'

/** Who sends what a schema is about: a property that is `readOnly` is none of requests, `writeOnly` none of responses. */
export type Direction = 'request' | 'response'

/** Schemas within schemas; more is taken as anything. */
const MOST_DEPTH = 200

/** Parts of parts (`allOf`) that are looked into for what they mark as `readOnly`. */
const MOST_PARTS = 8

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
  // Of Ajv alone: what is compiled then answers with a promise, which nobody waits for.
  '$async',
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

  /** @param whole of which the schema is a part (`allOf`): what that names is known to it */
  convert(node: Json, depth: number, whole: JsonObject = {}): Json {
    if (!isObject(node)) return node !== false
    if (depth > MOST_DEPTH) return {}
    const given = this.#specification.upgraded(node)
    const schema = this.#required(soundSchema(without(given, ...LEFT_OUT)), whole)
    const parts: readonly JsonObject[] = objectsOf(own(schema, 'allOf'))
    const converted = mapChildren('schemas', schema, (_kind, child) => {
      return this.convert(child, depth + 1, parts.includes(child) ? { allOf: [schema, whole] } : {}) as JsonObject
    })
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
  #required(schema: JsonObject, whole: JsonObject): JsonObject {
    const required = own(schema, 'required')
    if (!Array.isArray(required)) return schema
    const left = required.filter(
      (name) => typeof name === 'string' && !this.#isOfOther({ allOf: [schema, whole] }, name),
    )
    return left.length === required.length ? schema : { ...schema, required: left }
  }

  /** Whether a schema, or a part of it, says of a property that the other side alone sends it. */
  #isOfOther(schema: JsonObject, name: string, depth = 0): boolean {
    const mark = this.#direction === 'request' ? 'readOnly' : 'writeOnly'
    const property = own(objectOf(own(schema, 'properties')), name)
    // Beside a reference, too.
    if (own(objectOf(property), mark) === true || own(this.#specification.object(property), mark) === true) return true
    if (depth > MOST_PARTS) return false
    const parts = objectsOf(own(schema, 'allOf')).map((part) => this.#specification.object(part))
    return parts.some((part) => this.#isOfOther(part, name, depth + 1))
  }
}
