import { isObject, objectOf, own, type Json, type JsonObject } from '../openapi/document.ts'
import { isToken } from '../options/token.ts'
import { MockExampleError, MockMediaTypeError, MockResponseError } from './errors.ts'
import { acceptable } from './media-type.ts'
import type { FoundOperation } from '../openapi/found-operations.ts'
import type { Preference } from './prefer.ts'
import { NoValue, valueOf } from './schema-value.ts'
import type { Specification } from '../openapi/specification.ts'

/** An answer out of a document. */
export interface MockedResponse {
  status: number
  /** Names in lower case: name, value, name, value. */
  fields: string[]
  body: Buffer
}

/** What is asked of an operation. */
export interface Wanted extends Preference {
  accept: string | undefined
}

/** @throws HR_MOCK_RESPONSE, HR_MOCK_MEDIA_TYPE, HR_MOCK_EXAMPLE, each saying what to add to the document */
export function respond(specification: Specification, found: FoundOperation, wanted: Wanted): MockedResponse {
  const { status, response } = chooseResponse(specification, found, wanted.status)
  const name = `${status} of ${found.name}`
  const fields = fieldsOf(specification, response)
  const content = objectOf(own(response, 'content'))
  const types = Object.keys(content)
  // RFC 9110 §15.3.5, §15.3.6, §15.4.5.
  if (types.length === 0 || status === 204 || status === 205 || status === 304) {
    return { status, fields, body: Buffer.alloc(0) }
  }
  const type = acceptable(wanted.accept, types)
  if (type === undefined) throw new MockMediaTypeError(name, types.join(', '))
  const media = specification.object(own(content, type))
  const value = exampleOf(specification, media, { name: `${type} in ${name}`, example: wanted.example })
  return { status, fields: [...fields, 'content-type', concrete(type)], body: written(value, type, name) }
}

function chooseResponse(
  specification: Specification,
  { name, operation }: FoundOperation,
  preferred: number | null,
): { status: number; response: JsonObject } {
  const responses = objectOf(own(operation, 'responses'))
  const declared = Object.keys(responses).filter((key) => /^([1-5]\d\d|[1-5]XX|default)$/i.test(key))
  const status = preferred ?? firstSuccess(declared)
  const key = [String(status), `${Math.floor(status / 100)}XX`, 'default'].find((wanted) =>
    declared.some((one) => one.toUpperCase() === wanted.toUpperCase()),
  )
  const found = declared.find((one) => one.toUpperCase() === key?.toUpperCase())
  if (found === undefined) {
    throw new MockResponseError(name, String(status), declared.length === 0 ? 'none' : declared.join(', '))
  }
  return { status, response: specification.object(own(responses, found)) }
}

/** What a client most likely gets: of the successes the lowest, else whatever is declared first. */
function firstSuccess(declared: readonly string[]): number {
  const statuses = declared.filter((key) => /^\d{3}$/.test(key)).map(Number)
  const [success] = statuses.filter((status) => status >= 200 && status < 300).toSorted((a, b) => a - b)
  if (success !== undefined) return success
  if (declared.some((key) => /^2XX$/i.test(key) || key === 'default')) return 200
  const range = declared.find((key) => /^[345]XX$/i.test(key))
  return statuses.find((status) => status >= 300) ?? (range === undefined ? 200 : Number(range[0]) * 100)
}

function exampleOf(
  specification: Specification,
  media: JsonObject,
  { name, example }: { name: string; example: string | null },
): Json {
  const examples = objectOf(own(media, 'examples'))
  const names = Object.keys(examples)
  if (example !== null) {
    const chosen = own(examples, example)
    if (chosen === undefined) {
      const there = names.length === 0 ? 'it has none' : `there is ${names.join(', ')}`
      throw new MockExampleError(name, `there is no example named '${example}'; ${there}. Add it under examples`)
    }
    return namedValue(specification, chosen, { name, example })
  }
  const single = own(media, 'example')
  if (single !== undefined) return single
  const [first] = names
  if (first !== undefined) return namedValue(specification, own(examples, first), { name, example: first })
  const schema = own(media, 'schema')
  if (schema === undefined) throw new MockExampleError(name, 'it has neither example nor schema. Add an example')
  const value = valueOf(specification, schema)
  if (value instanceof NoValue) throw new MockExampleError(name, `${value.reason}. Add an example`)
  return value
}

function namedValue(
  specification: Specification,
  node: Json | undefined,
  { name, example }: { name: string; example: string },
): Json {
  const value = own(specification.object(node), 'value')
  if (value !== undefined) return value
  throw new MockExampleError(
    name,
    `the example '${example}' has no value here (what lies elsewhere is not fetched). Add it`,
  )
}

/** `application/*` in a document stands for any; what is sent is one. */
function concrete(type: string): string {
  if (!type.includes('*')) return type
  return type.startsWith('text/') ? 'text/plain; charset=utf-8' : 'application/json'
}

function written(value: Json, type: string, name: string): Buffer {
  const isJson = /[/+]json\b|\*/i.test(type)
  if (isJson) return Buffer.from(JSON.stringify(value))
  if (typeof value === 'string') return Buffer.from(value)
  if (typeof value === 'number' || typeof value === 'boolean') return Buffer.from(String(value))
  throw new MockExampleError(`${type} in ${name}`, 'its value is no text. Add an example as text')
}

const FIELD_VALUE = /^[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?$/
/** Written by the gateway, by what it sends; Content-Type is ignored in a document (OpenAPI 3.1, §4.8.17.1). */
const OWN_FIELDS = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'date',
  'keep-alive',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-request-id',
])

/** The fields of a response that have a value: by an example, or by a schema that is required. */
function fieldsOf(specification: Specification, response: JsonObject): string[] {
  const fields: string[] = []
  for (const [given, node] of Object.entries(objectOf(own(response, 'headers')))) {
    const name = given.toLowerCase()
    if (!isToken(name) || OWN_FIELDS.has(name)) continue
    const value = fieldValue(specification, specification.object(node))
    if (value !== undefined && FIELD_VALUE.test(value)) fields.push(name, value)
  }
  return fields
}

function fieldValue(specification: Specification, header: JsonObject): string | undefined {
  const [named] = Object.values(objectOf(own(header, 'examples')))
  const example = own(header, 'example') ?? own(specification.object(named), 'value')
  const schema = specification.schema(own(header, 'schema'))
  const isSaid = ['example', 'examples', 'default', 'const', 'enum'].some((key) => own(schema, key) !== undefined)
  const value = example ?? (isSaid || own(header, 'required') === true ? valueOf(specification, schema) : undefined)
  return value === undefined || value === null || value instanceof NoValue || isObject(value) || Array.isArray(value)
    ? undefined
    : String(value)
}
