import { isObject, own, type Json, type JsonObject } from './document.ts'
import { COMPONENT_KINDS, type ComponentKind } from './structure.ts'

/** A JSON Pointer (RFC 6901) as its unescaped tokens. */
export type Pointer = readonly string[]

/** `#/components/schemas/Vehicle`, escaped for a URI fragment (RFC 6901, §6). */
export function componentReference(kind: ComponentKind, name: string): string {
  return `#/components/${kind}/${name}`
}

/** The kind and the name of a reference made by {@link componentReference}. */
export function parseComponentReference(reference: Json | undefined): { kind: ComponentKind; name: string } | null {
  if (typeof reference !== 'string') return null
  const [root, components, kind, name, ...rest] = reference.split('/')
  if (root !== '#' || components !== 'components' || name === undefined || rest.length > 0) return null
  const known = COMPONENT_KINDS.find((candidate) => candidate === kind)
  return known === undefined ? null : { kind: known, name }
}

/** The tokens of a local reference (`#/a/b`), or `undefined` where it points elsewhere or is malformed. */
export function parsePointer(reference: string): Pointer | undefined {
  if (reference === '#') return []
  if (!reference.startsWith('#/')) return undefined
  try {
    return reference
      .slice(2)
      .split('/')
      .map((token) => decodeURIComponent(token).replaceAll('~1', '/').replaceAll('~0', '~'))
  } catch (error) {
    if (error instanceof URIError) return undefined
    throw error
  }
}

export function resolvePointer(document: JsonObject, pointer: Pointer): Json | undefined {
  let node: Json | undefined = document
  for (const token of pointer) {
    if (Array.isArray(node)) node = /^\d+$/.test(token) ? node[Number(token)] : undefined
    else if (isObject(node)) node = own(node, token)
    else return undefined
  }
  return node
}

/**
 * Finds what a `$ref` of one document means: a JSON Pointer into it, an `$anchor`, or an `$id` of one of its schemas.
 * References to other documents are found nowhere: the gateway fetches no address that a document names.
 */
export class ReferenceResolver {
  readonly #document: JsonObject
  #named: Map<string, Pointer> | undefined

  constructor(document: JsonObject) {
    this.#document = document
  }

  /**
   * The pointer to an object of this document that `reference` means, or `null`.
   *
   * @param from the component that holds the reference: one with an `$id` may point into itself (`#/$defs/Point`)
   */
  resolve(reference: string, from: Pointer = []): Pointer | null {
    const pointer = parsePointer(reference) ?? this.#byName().get(reference)
    if (pointer === undefined) return null
    if (isObject(resolvePointer(this.#document, pointer))) return pointer
    const inside = [...from, ...pointer]
    return isObject(resolvePointer(this.#document, inside)) ? inside : null
  }

  at(pointer: Pointer): JsonObject {
    const node = resolvePointer(this.#document, pointer)
    return isObject(node) ? node : {}
  }

  /** `$id` and `#anchor` of the component schemas and their `$defs`; built when the first such reference is met. */
  #byName(): Map<string, Pointer> {
    if (this.#named !== undefined) return this.#named
    const named = (this.#named = new Map<string, Pointer>())
    const visit = (pointer: Pointer, depth: number): void => {
      for (const [name, schema] of Object.entries(this.at(pointer))) {
        if (!isObject(schema)) continue
        const here = [...pointer, name]
        const id = own(schema, '$id')
        if (typeof id === 'string' && !named.has(id)) named.set(id, here)
        for (const key of ['$anchor', '$dynamicAnchor']) {
          const anchor = own(schema, key)
          if (typeof anchor === 'string' && !named.has(`#${anchor}`)) named.set(`#${anchor}`, here)
        }
        if (depth < 8) visit([...here, '$defs'], depth + 1)
      }
    }
    visit(['components', 'schemas'], 0)
    return named
  }
}
