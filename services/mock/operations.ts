import { isObject, METHODS, type Method, objectOf, own, type JsonObject } from '../openapi/document.ts'
import { basePaths } from '../openapi/servers.ts'
import type { UpstreamSpecification } from '../openapi/document.ts'
import type { Specification } from './specification.ts'
import { MockOperationError } from './errors.ts'

/** An operation that takes a request. */
export interface FoundOperation {
  /** `GET /vehicles/{id}` */
  name: string
  operation: JsonObject
}

interface Template {
  /** As in the document. */
  path: string
  /** Without the bases before it: one may stand there, or none. */
  pattern: RegExp
  parameters: number
  item: JsonObject
}

/** The operations of one document, found by what an upstream would be sent. */
export class Operations {
  readonly #specification: Specification
  readonly #templates: Template[] = []

  constructor(specification: Specification, source: UpstreamSpecification) {
    this.#specification = specification
    const { document } = source
    for (const [path, node] of Object.entries(objectOf(document['paths']))) {
      if (!path.startsWith('/') || !isObject(node)) continue
      const item = specification.object(node)
      const bases = basePaths(item['servers'] ?? document['servers'], source.base, source.targets)
      this.#templates.push({ path, pattern: patternOf(path, bases), parameters: path.split('{').length - 1, item })
    }
    // What is said in text is meant before what a parameter takes (OpenAPI 3.1, §4.8.8.1); the rest stays in order.
    this.#templates.sort((a, b) => a.parameters - b.parameters)
  }

  /**
   * HEAD is what GET would be, where it has no operation of its own.
   *
   * @param path that an upstream would be sent, without its query
   * @throws HR_MOCK_OPERATION
   */
  find(method: string, path: string): FoundOperation {
    const fitting = this.#templates.filter(({ pattern }) => pattern.test(path))
    for (const wanted of method === 'HEAD' ? ['head', 'get'] : [method.toLowerCase()]) {
      for (const { path: template, item } of fitting) {
        const node = isMethod(wanted) ? own(item, wanted) : undefined
        if (isObject(node)) {
          return { name: `${wanted.toUpperCase()} ${template}`, operation: this.#specification.object(node) }
        }
      }
    }
    const others = fitting.flatMap(({ item }) => METHODS.filter((one) => isObject(own(item, one))))
    const there = others.length === 0 ? 'none of its paths fits' : `the path has ${upper(others)}`
    throw new MockOperationError(`${method} ${path}`, `${there}: add it under paths`)
  }
}

const isMethod = (name: string): name is Method => (METHODS as readonly string[]).includes(name)

const upper = (methods: readonly string[]): string => methods.map((method) => method.toUpperCase()).join(', ')

function patternOf(path: string, bases: readonly string[]): RegExp {
  const text = path
    .split(/(\{[^{}]*\})/)
    .map((part) => (part.startsWith('{') ? '[^/]+' : RegExp.escape(encodeURI(part))))
    .join('')
  return new RegExp(`^(?:${bases.map((base) => RegExp.escape(base)).join('|')})?${text}$`)
}
