import { isObject, objectOf, objectsOf, own, type Json, type JsonObject } from '../openapi/document.ts'
import type { Specification } from '../openapi/specification.ts'

/** Why there is no value: what to give an example, and where. */
export class NoValue {
  readonly reason: string

  constructor(reason: string) {
    this.reason = reason
  }
}

const MOST_DEPTH = 24
const MOST_NODES = 10_000
const MOST_LENGTH = 10_000

/** What is not to be mistaken for real; each is valid by its format. */
const FORMATS: Readonly<Record<string, string>> = {
  binary: '',
  byte: '',
  date: '1970-01-01',
  'date-time': '1970-01-01T00:00:00Z',
  duration: 'PT0S',
  email: 'name@example.com',
  hostname: 'example.com',
  'idn-email': 'name@example.com',
  'idn-hostname': 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  iri: 'https://example.com/',
  time: '00:00:00Z',
  uri: 'https://example.com/',
  'uri-reference': '/',
  uuid: '00000000-0000-4000-8000-000000000000',
}

/**
 * The least value that a schema lets be: its example, default, constant or first word, else the properties that it
 * requires, the items that it wants, and the smallest numbers. What it says beyond (`not`, `if`, `dependentSchemas`) is not
 * looked at; where it wants what cannot be made up (a `pattern`, itself within itself), there is none.
 */
export function valueOf(specification: Specification, schema: Json | undefined): Json | NoValue {
  return new Maker(specification).make(schema, '', 0)
}

class Maker {
  readonly #specification: Specification
  #nodes = 0

  constructor(specification: Specification) {
    this.#specification = specification
  }

  /** @param at where in the value: `.owner.name`; empty for the whole */
  make(node: Json | undefined, at: string, depth: number): Json | NoValue {
    if (depth > MOST_DEPTH) return none(at, 'its schema has itself within it')
    if (++this.#nodes > MOST_NODES) return none(at, `its schema wants more than ${MOST_NODES} values`)
    if (node === true || node === undefined) return {}
    if (node === false) return none(at, 'its schema lets nothing be')
    const schema = this.#specification.schema(node)
    const said = saidOf(schema)
    if (said !== undefined) return said
    const chosen = this.#whole(schema, depth)
    const again = saidOf(chosen)
    return again === undefined ? this.#ofType(chosen, at, depth) : again
  }

  /** A schema with what `allOf` adds to it, and the first of its alternatives. */
  #whole(schema: JsonObject, depth: number): JsonObject {
    const [first] = [...objectsOf(own(schema, 'oneOf')), ...objectsOf(own(schema, 'anyOf'))]
    const parts = [...objectsOf(own(schema, 'allOf')), ...(first === undefined ? [] : [first])]
    if (parts.length === 0 || depth > MOST_DEPTH) return schema
    const { allOf: _all, oneOf: _one, anyOf: _any, ...rest } = schema
    return parts.map((part) => this.#whole(this.#specification.schema(part), depth + 1)).reduce(merged, rest)
  }

  #ofType(schema: JsonObject, at: string, depth: number): Json | NoValue {
    switch (typeOf(schema)) {
      case 'object':
        return this.#object(schema, at, depth)
      case 'array':
        return this.#array(schema, at, depth)
      case 'string':
        return textIn(schema, at)
      case 'number':
      case 'integer':
        return numberIn(schema, at)
      case 'boolean':
        return false
      case 'null':
        return null
      default:
        return {}
    }
  }

  #object(schema: JsonObject, at: string, depth: number): Json | NoValue {
    const properties = objectOf(own(schema, 'properties'))
    const made: JsonObject = {}
    for (const name of namesIn(own(schema, 'required'))) {
      const property = own(properties, name)
      if (isObject(property) && own(this.#specification.schema(property), 'writeOnly') === true) continue
      const value = this.make(property ?? own(schema, 'additionalProperties'), `${at}.${name}`, depth + 1)
      if (value instanceof NoValue) return value
      Object.defineProperty(made, name, { value, enumerable: true, writable: true, configurable: true })
    }
    return made
  }

  #array(schema: JsonObject, at: string, depth: number): Json | NoValue {
    const least = own(schema, 'minItems')
    const count = typeof least === 'number' ? least : 0
    const prefix = own(schema, 'prefixItems')
    const items: Json[] = []
    for (let index = 0; index < count; index++) {
      const node = Array.isArray(prefix) && index < prefix.length ? prefix[index] : own(schema, 'items')
      const value = this.make(node, `${at}[${index}]`, depth + 1)
      if (value instanceof NoValue) return value
      items.push(value)
    }
    return items
  }
}

function none(at: string, why: string): NoValue {
  return new NoValue(
    `${at === '' ? 'there is no example' : `there is no example, and none of ${at.replace(/^\./, '')}`}, and ${why}`,
  )
}

/** A value that a schema names itself. */
function saidOf(schema: JsonObject): Json | undefined {
  const [example] = [own(schema, 'examples')].flat()
  const [word] = [own(schema, 'enum')].flat()
  for (const value of [own(schema, 'example'), example, own(schema, 'default'), own(schema, 'const'), word]) {
    if (value !== undefined && value !== null) return value
  }
  return own(schema, 'const') === null ? null : undefined
}

/** Both at once, as far as it matters here. */
function merged(one: JsonObject, other: JsonObject): JsonObject {
  const required = [...namesIn(own(one, 'required')), ...namesIn(own(other, 'required'))]
  return {
    ...one,
    ...other,
    properties: { ...objectOf(own(one, 'properties')), ...objectOf(own(other, 'properties')) },
    required: [...new Set(required)],
  }
}

function namesIn(list: Json | undefined): string[] {
  return Array.isArray(list) ? list.filter((name) => typeof name === 'string') : []
}

function typeOf(schema: JsonObject): string | undefined {
  const types = [own(schema, 'type')].flat().filter((type) => typeof type === 'string')
  const type = types.find((one) => one !== 'null') ?? types[0]
  if (type !== undefined) return type
  if (namesIn(own(schema, 'required')).length > 0 || Object.keys(objectOf(own(schema, 'properties'))).length > 0) {
    return 'object'
  }
  return own(schema, 'items') === undefined ? undefined : 'array'
}

function textIn(schema: JsonObject, at: string): string | NoValue {
  if (own(schema, 'pattern') !== undefined) return none(at, 'its schema has a pattern')
  const least = numberOr(own(schema, 'minLength'), 0)
  const most = numberOr(own(schema, 'maxLength'), Number.POSITIVE_INFINITY)
  if (least > MOST_LENGTH) return none(at, `its schema wants more than ${MOST_LENGTH} characters`)
  const format = own(schema, 'format')
  const known = typeof format === 'string' && Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined
  const text = known ?? 'text'
  if (known !== undefined && (text.length < least || text.length > most)) {
    return none(at, 'its schema has a format and a length that do not go together by chance')
  }
  return text.padEnd(least, 'x').slice(0, most)
}

function numberIn(schema: JsonObject, at: string): number | NoValue {
  const above = own(schema, 'exclusiveMinimum')
  const below = own(schema, 'exclusiveMaximum')
  const step = numberOr(own(schema, 'multipleOf'), own(schema, 'type') === 'integer' ? 1 : 0)
  const least = Math.max(
    numberOr(own(schema, 'minimum'), Number.NEGATIVE_INFINITY),
    numberOr(above, Number.NEGATIVE_INFINITY),
  )
  const most = Math.min(
    numberOr(own(schema, 'maximum'), Number.POSITIVE_INFINITY),
    numberOr(below, Number.POSITIVE_INFINITY),
  )
  const fits = (value: number): boolean =>
    value >= least &&
    value <= most &&
    !(value === above) &&
    !(value === below) &&
    (step === 0 || Number.isInteger(value / step))
  const unit = step === 0 ? 1 : step
  const middle = Number.isFinite(least) && Number.isFinite(most) ? [(least + most) / 2] : []
  const near = [least, most].flatMap((bound) => [Math.ceil(bound / unit), Math.floor(bound / unit)])
  const candidates = [
    0,
    least,
    ...near.flatMap((times) => [times * unit, (times + 1) * unit, (times - 1) * unit]),
    most,
    ...middle,
  ]
  return (
    candidates.find((value) => Number.isFinite(value) && fits(value)) ?? none(at, 'its schema lets no plain number be')
  )
}

function numberOr(value: Json | undefined, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise
}
