import { fieldValue } from '../cache/rules/message.ts'
import { objectOf, objectsOf, own, type JsonObject } from '../openapi/document.ts'
import type { FoundOperation } from '../openapi/found-operations.ts'
import type { Specification } from '../openapi/specification.ts'
import type { Findings } from './finding.ts'
import { MediaRules } from './media-rules.ts'
import { Parameter } from './parameter.ts'
import { NOTHING, type ParameterPlace, type Raw } from './written-value.ts'

const PLACES: ReadonlySet<string> = new Set(['path', 'query', 'header', 'cookie'])
/** What a document says of these as parameters is ignored (OpenAPI 3.1, §4.8.12.2.1); the others the gateway writes itself. */
const NOT_PARAMETERS: ReadonlySet<string> = new Set([
  'accept',
  'content-type',
  'authorization',
  'host',
  'via',
  'forwarded',
  'x-request-id',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'content-length',
  'connection',
])

/** What a document says of one operation. Made when the operation is first asked for, its schemas when they are. */
export class OperationRules {
  /** `GET /vehicles/{id}` */
  readonly name: string
  readonly pattern: RegExp
  readonly names: readonly string[]
  readonly #specification: Specification
  readonly #parameters: readonly Parameter[]
  readonly #body: MediaRules | null
  readonly #bodyRequired: boolean
  readonly #responses: JsonObject
  readonly #byStatus = new Map<number, ResponseRules | undefined>()

  constructor(specification: Specification, { name, operation, item, pattern, names }: FoundOperation) {
    this.name = name
    this.pattern = pattern
    this.names = names
    this.#specification = specification
    this.#parameters = parametersOf(specification, item, operation)
    const body = own(operation, 'requestBody')
    const requestBody = specification.object(body)
    this.#body = body === undefined ? null : new MediaRules(specification, own(requestBody, 'content'), 'request')
    this.#bodyRequired = own(requestBody, 'required') === true
    this.#responses = objectOf(own(operation, 'responses'))
  }

  /** What of a request's head is not as it should be. */
  checkHead(
    raw: Raw,
    { contentType, hasBody, findings }: { contentType: string | undefined; hasBody: boolean; findings: Findings },
  ): void {
    for (const parameter of this.#parameters) parameter.check(raw, findings)
    if (hasBody && this.#body !== null && this.#body.match(contentType) === undefined) {
      findings.add('content-type', '', noneOf(this.#body.types))
    }
    if (!hasBody && this.#bodyRequired) findings.add('body', '', 'is missing')
  }

  /** Whether the document says what is in such a body. */
  wantsBody(contentType: string | undefined): boolean {
    return this.#body?.wantsBody(contentType) ?? false
  }

  /** Whether what the document says of such a body is not looked at. */
  leavesUnread(contentType: string | undefined): boolean {
    return this.#body?.leavesUnread(contentType) ?? false
  }

  checkBody(contentType: string | undefined, body: Buffer, findings: Findings): void {
    // In chunks, or over HTTP/2, it is known only now that there is none.
    if (body.length > 0) this.#body?.check(contentType, body, findings)
    else if (this.#bodyRequired) findings.add('body', '', 'is missing')
  }

  /** What is said of answers with a status; `undefined`: it is not declared. */
  response(status: number): ResponseRules | undefined {
    if (!this.#byStatus.has(status)) this.#byStatus.set(status, this.#responseRules(status))
    return this.#byStatus.get(status)
  }

  #responseRules(status: number): ResponseRules | undefined {
    const declared = Object.keys(this.#responses)
    for (const wanted of [String(status), `${Math.floor(status / 100)}XX`, 'DEFAULT']) {
      const key = declared.find((one) => one.toUpperCase() === wanted)
      if (key === undefined) continue
      return new ResponseRules(this.#specification, this.#specification.object(own(this.#responses, key)))
    }
    return undefined
  }
}

/** What a document says of the answers to one operation with one status. */
class ResponseRules {
  readonly body: MediaRules
  readonly #headers: readonly { name: string; parameter: Parameter }[]

  constructor(specification: Specification, response: JsonObject) {
    this.body = new MediaRules(specification, own(response, 'content'), 'response')
    this.#headers = Object.entries(objectOf(own(response, 'headers'))).flatMap(([given, node]) => {
      const name = given.toLowerCase()
      // OpenAPI 3.1, §4.8.17.1: Content-Type is said by `content`.
      if (NOT_PARAMETERS.has(name)) return []
      const header = specification.object(node)
      const parameter = new Parameter(specification, { ...header, name, style: 'simple' }, 'header')
      return [{ name, parameter }]
    })
  }

  /** @param fields names in lower case */
  checkHead(fields: readonly string[], findings: Findings): void {
    for (const { name, parameter } of this.#headers) {
      const value = fieldValue(fields, name)
      parameter.check({ ...NOTHING, header: () => value }, findings)
    }
  }

  /** The type of an answer that has a body. */
  checkType(contentType: string | undefined, findings: Findings): void {
    if (this.body.types.length === 0 || this.body.match(contentType) !== undefined) return
    findings.add('content-type', '', noneOf(this.body.types))
  }
}

function noneOf(types: readonly string[]): string {
  return `is none of ${types.join(', ').slice(0, 200)}`
}

/** An operation's own go over those of its path (OpenAPI 3.1, §4.8.10). */
function parametersOf(specification: Specification, item: JsonObject, operation: JsonObject): Parameter[] {
  const byKey = new Map<string, Parameter>()
  for (const list of [own(item, 'parameters'), own(operation, 'parameters')]) {
    for (const node of objectsOf(list)) {
      const parameter = specification.object(node)
      const place = own(parameter, 'in')
      const name = own(parameter, 'name')
      if (typeof name !== 'string' || typeof place !== 'string' || !PLACES.has(place)) continue
      if (place === 'header' && NOT_PARAMETERS.has(name.toLowerCase())) continue
      byKey.set(`${place} ${name}`, new Parameter(specification, parameter, place as ParameterPlace))
    }
  }
  return [...byKey.values()]
}
