import { objectOf, objectsOf, textOf, without, type JsonObject, type OpenapiWarning } from './document.ts'
import type { Components } from './lift.ts'
import { componentKey, freeName, SharedNames } from './names.ts'
import { Rewriter } from './rewrite.ts'
import type { ComponentKind } from './structure.ts'

export type Warn = (code: OpenapiWarning['code'], upstream: string, message: string) => void

/** One operation at its public place, lifted but with the names of its source. */
export interface Shown {
  path: string
  method: string
  originalPath: string
  operation: JsonObject
  servers: JsonObject[]
}

/** What one document gives to the merged one. */
export interface Source {
  /** Name of the upstream; `null` for the gateway. */
  name: string | null
  document: JsonObject
  shown: Shown[]
  components: Components
}

interface Names {
  component(source: Source, kind: ComponentKind, name: string): string
  tag(source: Source, name: string): string
}

function settleNames(sources: Source[]): Names {
  const components = new Map<ComponentKind, SharedNames>()
  const tags = new SharedNames((upstream, name) => `${upstream}: ${name}`)
  for (const source of sources) {
    for (const [kind, folder] of source.components) {
      const names = components.get(kind) ?? new SharedNames((upstream, name) => componentKey(`${upstream}.${name}`))
      components.set(kind, names)
      for (const name of folder.keys()) names.use(source.name, name)
    }
    for (const { operation } of source.shown) {
      for (const tag of tagsOf(source, operation)) tags.use(source.name, tag)
    }
  }
  return {
    component: (source, kind, name) => components.get(kind)?.settle(source.name, name) ?? name,
    tag: (source, name) => tags.settle(source.name, name),
  }
}

/** Operations without a tag stand under the name of their upstream, not with those of others under "default". */
function tagsOf(source: Source, operation: JsonObject): string[] {
  const tags = Array.isArray(operation['tags']) ? operation['tags'].filter((tag) => typeof tag === 'string') : []
  return tags.length === 0 && source.name !== null ? [source.name] : tags
}

/**
 * The merged document: every source's operations and components under names that are unique in it, in the order of
 * `sources`; info, servers and external documentation are the gateway's.
 */
export function assemble(sources: Source[], gateway: JsonObject, warn: Warn): JsonObject {
  const names = settleNames(sources)
  const paths = new Map<string, Map<string, JsonObject>>()
  const components = new Map<string, Map<string, JsonObject>>()
  const tags = new Map<string, JsonObject>()
  const operationIds = new Set<string>()
  for (const source of sources) {
    const ids = operationIdsOf(source, operationIds)
    const rewriter = rewriterFor(source, ids, names, warn)
    for (const shown of source.shown) {
      const used = tagsOf(source, shown.operation).map((tag) => names.tag(source, tag))
      const operation = { ...rewriter.operation(shown.operation) }
      const id = ids.get(shown)
      if (id !== undefined) operation['operationId'] = id
      if (used.length > 0) operation['tags'] = used
      if (shown.servers.length > 0) operation['servers'] = shown.servers
      into(paths, shown.path).set(shown.method, operation)
    }
    addTags(tags, source, names)
    for (const [kind, folder] of source.components) {
      for (const [name, component] of folder) {
        into(components, kind).set(names.component(source, kind, name), rewriter.component(kind, name, component))
      }
    }
  }
  return {
    openapi: '3.1.0',
    ...without(gateway, 'openapi', 'tags', 'paths', 'components', 'security', 'webhooks'),
    ...(tags.size > 0 ? { tags: [...tags.values()] } : {}),
    paths: fromMaps(paths),
    components: fromMaps(components),
  }
}

function rewriterFor(source: Source, ids: Map<Shown, string>, names: Names, warn: Warn): Rewriter {
  const byId = new Map<string, string>()
  const byPlace = new Map<string, Shown>()
  for (const shown of source.shown) {
    const place = `${shown.method} ${shown.originalPath}`
    if (!byPlace.has(place)) byPlace.set(place, shown)
    const original = shown.operation['operationId']
    if (typeof original === 'string' && !byId.has(original)) byId.set(original, ids.get(shown) ?? original)
  }
  return new Rewriter(
    source.components,
    {
      component: (kind, name) => names.component(source, kind, name),
      operationId: (id) => byId.get(id),
      operationAt: (method, path) => byPlace.get(`${method} ${path}`),
    },
    (target) => warn('HR_OPENAPI_LINK_DROPPED', source.name ?? 'gateway', `links to '${target}', which is not shown`),
  )
}

/** Unique over the whole document: the first keeps its id, later ones get the upstream's name before it or a number after. */
function operationIdsOf(source: Source, taken: Set<string>): Map<Shown, string> {
  const ids = new Map<Shown, string>()
  for (const shown of source.shown) {
    const id = shown.operation['operationId']
    if (typeof id !== 'string') continue
    const settled = taken.has(id) ? freeName(source.name === null ? id : `${source.name}.${id}`, taken) : id
    taken.add(settled)
    ids.set(shown, settled)
  }
  return ids
}

function addTags(tags: Map<string, JsonObject>, source: Source, names: Names): void {
  const used = new Set(source.shown.flatMap(({ operation }) => tagsOf(source, operation)))
  const defined = new Map(objectsOf(source.document['tags']).map((tag) => [textOf(tag['name']), tag]))
  const title = objectOf(source.document['info'])['title']
  const order = new Set([...[...defined.keys()].filter((name) => used.has(name)), ...used])
  for (const name of order) {
    const settled = names.tag(source, name)
    const fallback = name === source.name && typeof title === 'string' ? { description: title } : {}
    tags.set(settled, { ...fallback, ...defined.get(name), name: settled })
  }
}

function into<V>(maps: Map<string, Map<string, V>>, key: string): Map<string, V> {
  const map = maps.get(key) ?? new Map<string, V>()
  maps.set(key, map)
  return map
}

function fromMaps(maps: Map<string, Map<string, JsonObject>>): JsonObject {
  return Object.fromEntries([...maps].map(([key, map]) => [key, Object.fromEntries(map)]))
}
