import { isObject, objectOf, objectsOf, own, textOf, type JsonObject } from './document.ts'
import { heirsByBase } from './heirs.ts'
import { componentReference, parseComponentReference, parsePointer } from './references.ts'
import type { Components } from './lift.ts'
import { mapChildren, type ComponentKind, type Kind } from './structure.ts'

/** What the names of one source become in the merged document. */
export interface Renames {
  component(kind: ComponentKind, name: string): string
  /** The new operationId of one of the source's own; `undefined` where that operation is not shown. */
  operationId(id: string): string | undefined
  /** The public place of one of the source's own operations (method in lower case); `undefined` where not shown. */
  operationAt(method: string, path: string): { method: string; path: string } | undefined
}

/** Rewrites lifted pieces of one source so that every name in them is that of the merged document. */
export class Rewriter {
  readonly #renames: Renames
  readonly #heirs: Map<string, string[]>
  readonly #onLostLink: (target: string) => void

  /** @param onLostLink hears of links to operations that the merged document does not show; they are left out */
  constructor(components: Components, renames: Renames, onLostLink: (target: string) => void) {
    this.#renames = renames
    this.#onLostLink = onLostLink
    this.#heirs = heirsByBase(components.get('schemas') ?? [], (reference) => parseComponentReference(reference)?.name)
  }

  operation(operation: JsonObject): JsonObject {
    const rewritten = mapChildren('operation', operation, this.#visit)
    const security = operation['security']
    return security === undefined ? rewritten : { ...rewritten, security: this.#security(objectsOf(security)) }
  }

  component(kind: ComponentKind, name: string, component: JsonObject): JsonObject {
    const rewritten = this.#visit(kind, component) ?? {}
    return kind === 'schemas' ? this.#withImplicitMapping(rewritten, this.#heirs.get(name) ?? []) : rewritten
  }

  #visit = (kind: Kind, node: JsonObject): JsonObject | undefined => {
    if (kind === 'links') return this.#link(node)
    if (kind === 'operation') return this.operation(node)
    const rewritten = mapChildren(kind, node, this.#visit)
    const reference = this.#reference(own(node, '$ref'))
    const settled = reference === undefined ? rewritten : { ...rewritten, $ref: reference }
    return kind === 'schemas' ? this.#withMapping(node, settled) : settled
  }

  #reference(reference: unknown): string | undefined {
    const parsed = typeof reference === 'string' ? parseComponentReference(reference) : null
    return parsed === null
      ? undefined
      : componentReference(parsed.kind, this.#renames.component(parsed.kind, parsed.name))
  }

  #security(requirements: JsonObject[]): JsonObject[] {
    return requirements.map((requirement) =>
      Object.fromEntries(
        Object.entries(requirement).map(([name, scopes]) => [this.#renames.component('securitySchemes', name), scopes]),
      ),
    )
  }

  /** The mapping with new names; alternatives that were chosen by their old name get an entry for it. */
  #withMapping(node: JsonObject, rewritten: JsonObject): JsonObject {
    const discriminator = own(node, 'discriminator')
    if (!isObject(discriminator)) return rewritten
    const mapping = Object.entries(objectOf(discriminator['mapping'])).map(([value, target]): [string, string] => [
      value,
      this.#reference(target) ?? textOf(target),
    ])
    const settled = mapping.length === 0 ? discriminator : { ...discriminator, mapping: Object.fromEntries(mapping) }
    const alternatives = [...objectsOf(node['oneOf']), ...objectsOf(node['anyOf'])]
      .map((alternative) => parseComponentReference(own(alternative, '$ref'))?.name)
      .filter((name) => name !== undefined)
    return this.#withImplicitMapping({ ...rewritten, discriminator: settled }, alternatives)
  }

  #withImplicitMapping(schema: JsonObject, names: string[]): JsonObject {
    const discriminator = own(schema, 'discriminator')
    if (!isObject(discriminator)) return schema
    const mapping = objectOf(discriminator['mapping'])
    const mapped = new Set(Object.values(mapping))
    const missing = names.flatMap((name): [string, string][] => {
      const renamed = this.#renames.component('schemas', name)
      const target = componentReference('schemas', renamed)
      return renamed === name || mapped.has(target) || Object.hasOwn(mapping, name) ? [] : [[name, target]]
    })
    if (missing.length === 0) return schema
    return { ...schema, discriminator: { ...discriminator, mapping: { ...mapping, ...Object.fromEntries(missing) } } }
  }

  #link(link: JsonObject): JsonObject | undefined {
    const { operationId, operationRef } = link
    if (typeof operationId === 'string') {
      const renamed = this.#renames.operationId(operationId)
      if (renamed !== undefined) return { ...link, operationId: renamed }
      this.#onLostLink(operationId)
      return undefined
    }
    if (typeof operationRef !== 'string' || !operationRef.startsWith('#')) return link
    const [paths, path, method] = parsePointer(operationRef) ?? []
    const place = paths === 'paths' && path && method ? this.#renames.operationAt(method, path) : undefined
    if (place !== undefined) {
      const escaped = encodeURIComponent(place.path.replaceAll('~', '~0').replaceAll('/', '~1'))
      return { ...link, operationRef: `#/paths/${escaped}/${place.method}` }
    }
    this.#onLostLink(operationRef)
    return undefined
  }
}
