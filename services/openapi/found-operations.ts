import { isObject, METHODS, type Method, objectOf, own, type JsonObject } from './document.ts'
import { basePaths } from './servers.ts'
import type { UpstreamSpecification } from './document.ts'
import type { Specification } from './specification.ts'

/** An operation that takes a request. */
export interface FoundOperation {
  /** `GET /vehicles/{id}` */
  name: string
  operation: JsonObject
  /** The Path Item that it belongs to: its parameters are the operation's too. */
  item: JsonObject
  /** Matches a path of this operation; its groups are the parameters of the path, in the order of `names`. */
  pattern: RegExp
  names: readonly string[]
}

/** No operation takes a request. */
export class NoOperation {
  /** Methods that its path does take, in upper case. */
  readonly methods: readonly string[]

  constructor(methods: readonly string[]) {
    this.methods = methods
  }
}

interface Template {
  /** As in the document. */
  path: string
  /** Without the bases before it: one may stand there, or none. */
  pattern: RegExp
  names: readonly string[]
  item: JsonObject
  /** Made when they are first found. */
  found: Map<string, FoundOperation>
  /** Of the paths that it fits, with each base and without. */
  shapes: ReadonlySet<string>
}

/** The operations of one document, found by what an upstream would be sent. */
export class Operations {
  readonly #specification: Specification
  readonly #templates: Template[] = []
  /** Those that may fit a path, in order, by the number of its segments and the first of them. */
  readonly #byShape = new Map<string, Template[]>()

  constructor(specification: Specification, source: UpstreamSpecification) {
    this.#specification = specification
    const { document } = source
    for (const [path, node] of Object.entries(objectOf(document['paths']))) {
      if (!path.startsWith('/') || !isObject(node)) continue
      const item = specification.object(node)
      const bases = basePaths(item['servers'] ?? document['servers'], source.base, source.targets)
      const names = [...path.matchAll(/\{([^{}]*)\}/g)].map(([, name]) => name as string)
      const shapes = new Set(['', ...bases].map((before) => shapeOf(before + path)))
      this.#templates.push({ path, pattern: patternOf(path, bases), names, item, found: new Map(), shapes })
    }
    // What is said in text is meant before what a parameter takes (OpenAPI 3.1, §4.8.8.1); the rest stays in order.
    this.#templates.sort((a, b) => a.names.length - b.names.length)
    for (const shape of new Set(this.#templates.flatMap(({ shapes }) => [...shapes]))) {
      const any = anyOf(shape)
      const fitting = this.#templates.filter(({ shapes }) => shapes.has(shape) || shapes.has(any))
      this.#byShape.set(shape, fitting)
    }
  }

  /**
   * HEAD is what GET would be, where it has no operation of its own.
   *
   * @param path that an upstream would be sent, without its query
   */
  find(method: string, path: string): FoundOperation | NoOperation {
    const shape = shapeOf(path)
    const templates = this.#byShape.get(shape) ?? this.#byShape.get(anyOf(shape)) ?? []
    const wanted = method === 'HEAD' ? ['head', 'get'] : [method.toLowerCase()]
    for (const one of wanted) {
      for (const template of templates) {
        if (!template.pattern.test(path)) continue
        const found = this.#operation(template, one)
        if (found !== undefined) return found
      }
    }
    const fitting = templates.filter(({ pattern }) => pattern.test(path))
    const methods = fitting.flatMap(({ item }) => METHODS.filter((one) => isObject(own(item, one))))
    return new NoOperation([
      ...new Set(methods.flatMap((one) => (one === 'get' ? ['GET', 'HEAD'] : [one.toUpperCase()]))),
    ])
  }

  #operation({ path, pattern, names, item, found }: Template, method: string): FoundOperation | undefined {
    const known = found.get(method)
    if (known !== undefined) return known
    const node = isMethod(method) ? own(item, method) : undefined
    if (!isObject(node)) return undefined
    const operation = this.#specification.object(node)
    const made = { name: `${method.toUpperCase()} ${path}`, operation, item, pattern, names }
    found.set(method, made)
    return made
  }
}

const isMethod = (name: string): name is Method => (METHODS as readonly string[]).includes(name)

/** How many segments a path has, and its first: `2 vehicles`, and `2 *` where that is a parameter, or has one in it. */
function shapeOf(path: string): string {
  let count = 0
  for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) count++
  const end = path.indexOf('/', 1)
  const first = end === -1 ? path.slice(1) : path.slice(1, end)
  return `${count} ${first.includes('{') ? '*' : encodedOnce(first)}`
}

const anyOf = (shape: string): string => `${shape.slice(0, shape.indexOf(' '))} *`

/** As paths of requests come: what of a document's is not encoded yet. */
function encodedOnce(segment: string): string {
  return /^[\w.~%!$&'()*+,;=:@-]*$/.test(segment) ? segment : encodeURI(segment)
}

function patternOf(path: string, bases: readonly string[]): RegExp {
  const text = path
    .split(/(\{[^{}]*\})/)
    .map((part) => (part.startsWith('{') ? '([^/]+)' : RegExp.escape(encodeURI(part))))
    .join('')
  return new RegExp(`^(?:${bases.map((base) => RegExp.escape(base)).join('|')})?${text}$`)
}
