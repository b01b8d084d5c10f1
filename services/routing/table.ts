import { type HostPattern, parseRouteKey, type RoutePattern, shapeOf } from './pattern.ts'

/** A route that matched, and what its parameters (in the pattern's order, `*` last) took from the path. */
export interface Match<T> {
  route: T
  parameters: string[]
}

/** What a look-up finds: a route, a path whose routes take other methods (→ 405), or nothing (→ 404). */
export type Lookup<T> =
  | { kind: 'route'; route: T; parameters: string[] }
  | { kind: 'method'; allow: string[] }
  | { kind: 'none' }

interface Leaf<T> {
  byMethod: Map<string, T>
  any: T | undefined
}

interface Node<T> {
  statics: Map<string, Node<T>>
  parameter: Node<T> | undefined
  rest: Leaf<T> | undefined
  leaf: Leaf<T> | undefined
}

interface Host<T> {
  pattern: HostPattern
  root: Node<T>
}

/**
 * The routes of a gateway, compiled once. The most specific match wins: first by host (exact, then the longest suffix,
 * then any), then by path, segment by segment from the left (text, then parameter, then `*`), then by method (named,
 * then any). A more specific route that does not take the method leaves the request to the next one.
 */
export class RouteTable<T extends { pattern: RoutePattern }> {
  readonly routes: readonly T[]
  readonly #exact = new Map<string, Host<T>>()
  readonly #suffixes: Host<T>[] = []
  readonly #methods: string[]
  #any: Host<T> | undefined

  constructor(routes: readonly T[]) {
    this.routes = routes
    for (const route of routes) this.#insert(route)
    this.#methods = [...new Set(routes.flatMap((route) => route.pattern.methods ?? []))]
    this.#suffixes.sort((a, b) => suffixLength(b.pattern) - suffixLength(a.pattern))
  }

  /** Pairs of keys that match exactly the same requests, for some method. */
  static conflicts(keys: readonly string[]): [string, string][] {
    const byShape = new Map<string, RoutePattern[]>()
    const pairs: [string, string][] = []
    for (const key of keys) {
      const pattern = parseRouteKey(key)
      const shape = shapeOf(pattern)
      const rivals = byShape.get(shape) ?? []
      for (const rival of rivals) {
        if (sameMethods(rival.methods, pattern.methods)) pairs.push([rival.key, key])
      }
      rivals.push(pattern)
      byShape.set(shape, rivals)
    }
    return pairs
  }

  /**
   * @param host canonical: lower case, without port and trailing dot
   * @param path canonical (services/http/canonical-path.ts)
   */
  lookup(method: string, host: string, path: string): Lookup<T> {
    const match = this.match(method, host, path)
    if (match !== undefined) return { kind: 'route', ...match }
    const allow = this.#methods.filter((name) => this.match(name, host, path) !== undefined)
    return allow.length === 0 ? { kind: 'none' } : { kind: 'method', allow }
  }

  /** The route that wins, or `undefined`; parameters as in {@link lookup}. */
  match(method: string, host: string, path: string): Match<T> | undefined {
    const exact = this.#exact.get(host)
    const parameters: string[] = []
    let route = exact && walk(exact.root, path, 1, parameters, method)
    for (let i = 0; route === undefined && i < this.#suffixes.length; i++) {
      const candidate = this.#suffixes[i] as Host<T>
      if (hostMatches(candidate.pattern, host)) route = walk(candidate.root, path, 1, parameters, method)
    }
    if (route === undefined && this.#any !== undefined) route = walk(this.#any.root, path, 1, parameters, method)
    return route === undefined ? undefined : { route, parameters }
  }

  #insert(route: T): void {
    const { pattern } = route
    let node = this.#hostFor(pattern.host).root
    for (const segment of pattern.segments) {
      if (segment.kind === 'static') {
        let next = node.statics.get(segment.text)
        if (next === undefined) node.statics.set(segment.text, (next = newNode()))
        node = next
      } else if (segment.kind === 'parameter') {
        node = node.parameter ??= newNode()
      } else {
        addToLeaf((node.rest ??= newLeaf()), route)
        return
      }
    }
    addToLeaf((node.leaf ??= newLeaf()), route)
  }

  #hostFor(pattern: HostPattern): Host<T> {
    if (pattern.kind === 'any') return (this.#any ??= { pattern, root: newNode() })
    if (pattern.kind === 'exact') {
      let host = this.#exact.get(pattern.name)
      if (host === undefined) this.#exact.set(pattern.name, (host = { pattern, root: newNode() }))
      return host
    }
    let host = this.#suffixes.find(
      (known) => known.pattern.kind === 'suffix' && known.pattern.suffix === pattern.suffix,
    )
    if (host === undefined) this.#suffixes.push((host = { pattern, root: newNode() }))
    return host
  }
}

/** `true` where a host (canonical) falls under a pattern; a suffix needs at least one label before it. */
export function hostMatches(pattern: HostPattern, host: string): boolean {
  if (pattern.kind === 'any') return true
  if (pattern.kind === 'exact') return host === pattern.name
  return host.length > pattern.suffix.length && host.endsWith(pattern.suffix)
}

function sameMethods(a: string[] | null, b: string[] | null): boolean {
  if (a === null || b === null) return a === b
  return a.some((method) => b.includes(method))
}

function suffixLength(pattern: HostPattern): number {
  return pattern.kind === 'suffix' ? pattern.suffix.length : 0
}

function newNode<T>(): Node<T> {
  return { statics: new Map(), parameter: undefined, rest: undefined, leaf: undefined }
}

function newLeaf<T>(): Leaf<T> {
  return { byMethod: new Map(), any: undefined }
}

function addToLeaf<T extends { pattern: RoutePattern }>(leaf: Leaf<T>, route: T): void {
  if (route.pattern.methods === null) leaf.any ??= route
  else for (const method of route.pattern.methods) if (!leaf.byMethod.has(method)) leaf.byMethod.set(method, route)
}

/** Depth-first, most specific branch first; `start` is the index after a slash. Parameters are unwound on the way back. */
function walk<T>(node: Node<T>, path: string, start: number, parameters: string[], method: string): T | undefined {
  const slash = path.indexOf('/', start)
  const segment = slash === -1 ? path.slice(start) : path.slice(start, slash)
  const next = node.statics.get(segment)
  if (next !== undefined) {
    const found = slash === -1 ? pick(next.leaf, method) : walk(next, path, slash + 1, parameters, method)
    if (found !== undefined) return found
  }
  if (node.parameter !== undefined && segment !== '') {
    parameters.push(segment)
    const found =
      slash === -1 ? pick(node.parameter.leaf, method) : walk(node.parameter, path, slash + 1, parameters, method)
    if (found !== undefined) return found
    parameters.pop()
  }
  const rest = pick(node.rest, method)
  if (rest !== undefined) parameters.push(path.slice(start))
  return rest
}

function pick<T>(leaf: Leaf<T> | undefined, method: string): T | undefined {
  return leaf === undefined ? undefined : (leaf.byMethod.get(method) ?? leaf.any)
}
