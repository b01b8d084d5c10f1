import {
  isObject,
  objectOf,
  objectsOf,
  own,
  textOf,
  without,
  type Json,
  type JsonObject,
  type OpenapiWarning,
} from './document.ts'
import { heirsByBase } from './heirs.ts'
import { componentReference, ReferenceResolver, type Pointer } from './references.ts'
import { componentName, freeName } from './names.ts'
import { COMPONENT_KINDS, kindAt, mapChildren, type ComponentKind, type Kind } from './structure.ts'
import { upgradeSchema } from './upgrade.ts'

export type Components = Map<ComponentKind, Map<string, JsonObject>>

/** Deeper is not documentation; the bound keeps a hostile document from exhausting the stack. */
const MAX_DEPTH = 200
const MAX_ALIASES = 32

/**
 * Lifts pieces out of one specification into the terms of the merged document: OpenAPI 3.1, every `$ref` of the form
 * `#/components/<kind>/<name>`, and only the components that the lifted pieces reach (what no route exposes is not
 * shown to the world). What cannot be resolved is left out with a warning.
 */
export class Lifter {
  readonly resolver: ReferenceResolver
  readonly #document: JsonObject
  readonly #legacy: boolean
  readonly #warn: (code: OpenapiWarning['code'], message: string) => void
  readonly #names = new Map<string, string>()
  readonly #components: Components = new Map()
  readonly #queue: { kind: ComponentKind; name: string; pointer: Pointer }[] = []
  #heirs: Map<string, string[]> | undefined
  #current: Pointer = []

  constructor(document: JsonObject, warn: (code: OpenapiWarning['code'], message: string) => void) {
    this.resolver = new ReferenceResolver(document)
    this.#document = document
    this.#legacy = textOf(document['openapi']).startsWith('3.0')
    this.#warn = warn
  }

  /** An Operation Object with what is below it; its security, tags and parameters are the caller's to settle. */
  operation(operation: JsonObject): JsonObject {
    return mapChildren('operation', operation, (kind, child) => this.#lift(kind, child, 1))
  }

  /** A Parameter Object, or `undefined` where its reference leads nowhere. */
  parameter(parameter: JsonObject): JsonObject | undefined {
    return this.#lift('parameters', parameter, 1)
  }

  /** The object at the end of a chain of references, not lifted; `undefined` where it leads nowhere. */
  follow(kind: ComponentKind, node: JsonObject): JsonObject | undefined {
    const reference = own(node, '$ref')
    if (typeof reference !== 'string') return node
    const pointer = this.#target(kind, reference)
    return pointer === null ? undefined : this.resolver.at(pointer)
  }

  /** Security requirements whose schemes the document declares; `undefined` where it states none that can be met. */
  security(requirements: Json | undefined): JsonObject[] | undefined {
    if (!Array.isArray(requirements)) return undefined
    const schemes = objectOf(objectOf(this.#document['components'])['securitySchemes'])
    const known = objectsOf(requirements).filter((requirement) => {
      const missing = Object.keys(requirement).find(
        (name) => this.follow('securitySchemes', objectOf(own(schemes, name)))?.['type'] === undefined,
      )
      // leaving out one name of several would promise access that the upstream refuses
      if (missing !== undefined) this.#warn('HR_OPENAPI_SECURITY_UNKNOWN', `no security scheme is named '${missing}'`)
      return missing === undefined
    })
    if (known.length === 0 && requirements.length > 0) return undefined
    return known.map((requirement) =>
      Object.fromEntries(
        Object.entries(requirement).map(([name, scopes]) => [
          this.#allocate('securitySchemes', ['components', 'securitySchemes', name]),
          scopes,
        ]),
      ),
    )
  }

  /** All components that the lifted pieces reach, themselves lifted. */
  components(): Components {
    // the queue grows while it is read: each component may reach others
    for (const next of this.#queue) {
      this.#current = next.pointer
      const lifted = this.#lift(next.kind, this.resolver.at(next.pointer), 0)
      const folder = this.#components.get(next.kind) ?? new Map<string, JsonObject>()
      folder.set(next.name, lifted ?? {})
      this.#components.set(next.kind, folder)
    }
    return this.#components
  }

  #lift(kind: Kind, node: JsonObject, depth: number): JsonObject | undefined {
    if (depth > MAX_DEPTH) {
      this.#warn('HR_OPENAPI_TOO_DEEP', `is nested deeper than ${MAX_DEPTH} levels; the rest is left out`)
      return kind === 'schemas' ? {} : undefined
    }
    if (isReferable(kind) && typeof own(node, '$ref') === 'string') return this.#reference(kind, node, depth)
    const lifted = mapChildren(kind, this.#plain(kind, node), (childKind, child) =>
      this.#lift(childKind, child, depth + 1),
    )
    return kind === 'schemas' ? this.#withDiscriminator(lifted, depth) : lifted
  }

  #plain(kind: Kind, node: JsonObject): JsonObject {
    if (kind === 'schemas') {
      const schema = this.#legacy ? upgradeSchema(node) : node
      // every reference becomes one to a component: identities and local definitions have done their work
      return without(schema, '$id', '$schema', '$anchor', '$dynamicAnchor', '$defs', 'definitions')
    }
    if (kind === 'operation') {
      // an operation of a callback: what its client serves is not to be found among the gateway's
      const security = this.security(own(node, 'security'))
      const rest = without(node, 'operationId', 'tags', 'security')
      return security === undefined ? rest : { ...rest, security }
    }
    return node
  }

  #reference(kind: ComponentKind, node: JsonObject, depth: number): JsonObject | undefined {
    const reference = node['$ref'] as string
    const isSchema = kind === 'schemas'
    const siblings = isSchema && this.#legacy ? {} : without(node, '$ref')
    const pointer = this.#target(kind, reference)
    if (pointer === null) {
      this.#warn(
        'HR_OPENAPI_REFERENCE_UNRESOLVED',
        `has a reference that leads nowhere or out of the document: '${reference}'`,
      )
      if (isSchema) return this.#lift(kind, siblings, depth)
      return kind === 'responses' ? { description: '', ...siblings } : undefined
    }
    // a link names an operation, which may not be there in the end: it goes where it is used, to be left out there
    if (kind === 'links') return this.#lift(kind, this.resolver.at(pointer), depth + 1)
    const $ref = componentReference(kind, this.#allocate(kind, pointer))
    if (!isSchema || Object.keys(siblings).length === 0) return { ...siblings, $ref }
    return { ...this.#lift(kind, siblings, depth), $ref }
  }

  /** Where a reference leads in the end; aliases (`A: { $ref: B }`) are seen through. */
  #target(kind: ComponentKind, reference: string): Pointer | null {
    let pointer = this.resolver.resolve(reference, this.#current)
    for (let hops = 0; pointer !== null && hops < MAX_ALIASES; hops++) {
      const found = kindAt(pointer)
      if (found !== kind && found !== undefined) return null
      const node = this.resolver.at(pointer)
      const next = own(node, '$ref')
      const isAlias = typeof next === 'string' && (kind !== 'schemas' || this.#legacy || Object.keys(node).length === 1)
      if (!isAlias) return pointer
      pointer = this.resolver.resolve(next, pointer)
    }
    return null
  }

  #withDiscriminator(schema: JsonObject, depth: number): JsonObject {
    const discriminator = own(schema, 'discriminator')
    if (!isObject(discriminator)) return schema
    if (depth === 0 && schema['oneOf'] === undefined && schema['anyOf'] === undefined) this.#reachHeirs()
    const entries = Object.entries(objectOf(discriminator['mapping'])).flatMap(([value, target]): [string, Json][] => {
      const pointer = typeof target === 'string' ? this.#mappingTarget(target) : null
      if (pointer === null) {
        this.#warn('HR_OPENAPI_REFERENCE_UNRESOLVED', `has a discriminator mapping that leads nowhere: '${value}'`)
        return []
      }
      return [[value, componentReference('schemas', this.#allocate('schemas', pointer))]]
    })
    const rest = without(discriminator, 'mapping')
    const settled = entries.length === 0 ? rest : { ...rest, mapping: Object.fromEntries(entries) }
    return { ...schema, discriminator: settled }
  }

  /** A mapping names a schema or refers to it (OpenAPI 3.1, §4.8.25). */
  #mappingTarget(target: string): Pointer | null {
    const schemas = objectOf(objectOf(this.#document['components'])['schemas'])
    return isObject(own(schemas, target)) ? ['components', 'schemas', target] : this.#target('schemas', target)
  }

  /** The heirs of a base schema name it in their `allOf`; nothing names them, but the discriminator means them. */
  #reachHeirs(): void {
    for (const name of this.#heirsByBase().get(this.#current.join('/')) ?? []) {
      this.#allocate('schemas', ['components', 'schemas', name])
    }
  }

  #heirsByBase(): Map<string, string[]> {
    this.#heirs ??= heirsByBase(
      Object.entries(objectOf(objectOf(this.#document['components'])['schemas'])),
      (reference) => (typeof reference === 'string' ? this.#target('schemas', reference)?.join('/') : undefined),
    )
    return this.#heirs
  }

  #allocate(kind: ComponentKind, pointer: Pointer): string {
    const key = `${kind} ${JSON.stringify(pointer)}`
    const known = this.#names.get(key)
    if (known !== undefined) return known
    const folder = this.#components.get(kind) ?? new Map<string, JsonObject>()
    this.#components.set(kind, folder)
    const name = freeName(componentName(kind, pointer), folder)
    folder.set(name, {})
    this.#names.set(key, name)
    this.#queue.push({ kind, name, pointer })
    return name
  }
}

function isReferable(kind: Kind): kind is ComponentKind {
  return COMPONENT_KINDS.some((known) => known === kind)
}
