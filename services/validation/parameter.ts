import { pointerToken } from '../http/json-pointer.ts'
import { decodedText } from '../http/query-text.ts'
import { isObject, objectOf, own, textOf, type JsonObject } from '../openapi/document.ts'
import type { Specification } from '../openapi/specification.ts'
import type { Findings } from './finding.ts'
import { readJsonValue } from './json-value.ts'
import { SchemaRule } from './schema-rule.ts'
import { typesOf, within } from './value-types.ts'

export type ParameterPlace = 'path' | 'query' | 'header' | 'cookie'

/** Pairs of a query or a Cookie, as they came. */
export type Pairs = readonly (readonly [name: string, value: string])[]

/** Says whether, and as what, a request has a parameter. Not yet decoded: what separates its parts must not be read from them. */
export interface Raw {
  path: ReadonlyMap<string, string>
  query: Pairs
  cookie: Pairs
  header(name: string): string | undefined
}

const TWICE = 'stands more than once'

/** A value that could not be read. */
class Unreadable {
  readonly message: string

  constructor(message: string) {
    this.message = message
  }
}

/**
 * One parameter of an operation, read by its `style` and `explode` (OpenAPI 3.1, §4.8.12) and validated. What its schema
 * wants as a number or a truth value is read from its text.
 */
export class Parameter {
  readonly name: string
  readonly place: ParameterPlace
  readonly #required: boolean
  readonly #style: string
  readonly #explode: boolean
  readonly #rule: SchemaRule | null
  /** The value is JSON (`content`). */
  readonly #isJson: boolean

  constructor(specification: Specification, node: JsonObject, place: ParameterPlace) {
    this.name = textOf(own(node, 'name'))
    this.place = place
    this.#required = own(node, 'required') === true || place === 'path'
    const style = own(node, 'style')
    this.#style = typeof style === 'string' ? style : place === 'query' || place === 'cookie' ? 'form' : 'simple'
    const explode = own(node, 'explode')
    this.#explode = typeof explode === 'boolean' ? explode : this.#style === 'form'
    const content = own(node, 'content')
    this.#isJson = isObject(content)
    const [media] = Object.values(objectOf(content))
    const schema = isObject(content) ? own(specification.object(media), 'schema') : own(node, 'schema')
    this.#rule = schema === undefined ? null : new SchemaRule(specification, schema, 'request')
  }

  check(raw: Raw, findings: Findings): void {
    const given = this.#read(raw)
    if (given === undefined && !this.#required) return
    const before = `/${pointerToken(this.name)}`
    const where = { place: this.place, before, findings }
    if (given === undefined) findings.add(this.place, before, 'is missing')
    else if (given instanceof Unreadable) findings.add(this.place, before, given.message)
    else {
      const value = this.#isJson ? readJsonValue(given as string, where) : given
      if (value !== undefined) this.#rule?.check(value, where)
    }
  }

  #read(raw: Raw): unknown {
    if (this.#isJson) return this.#single(raw)
    if (this.#rule === null) return this.#isThere(raw) ? '' : undefined
    const { types } = this.#rule
    if (types.has('array') && !types.has('string')) return this.#array(raw)
    if (types.has('object') && !types.has('string')) return this.#object(raw)
    const text = this.#single(raw)
    return typeof text === 'string' ? typed(text, types) : text
  }

  #isThere(raw: Raw): boolean {
    return this.#texts(raw).length > 0
  }

  /** As they came: one, as a rule. */
  #texts(raw: Raw): string[] {
    switch (this.place) {
      case 'path': {
        const text = raw.path.get(this.name)
        return text === undefined ? [] : [this.#unprefixed(text)]
      }
      case 'header': {
        const text = raw.header(this.name.toLowerCase())
        return text === undefined ? [] : [text]
      }
      default:
        return raw[this.place].flatMap(([name, value]) => (name === this.name ? [value] : []))
    }
  }

  /** Without what `label` and `matrix` put before it. */
  #unprefixed(text: string): string {
    if (this.#style === 'label') return text.startsWith('.') ? text.slice(1) : text
    if (this.#style !== 'matrix') return text
    const start = `;${this.name}=`
    return text.startsWith(start) ? text.slice(start.length) : text.replace(/^;/, '')
  }

  #single(raw: Raw): string | Unreadable | undefined {
    const texts = this.#texts(raw)
    const [text] = texts
    if (text === undefined) return undefined
    if (texts.length > 1) return new Unreadable(TWICE)
    return this.#decode(text)
  }

  #array(raw: Raw): unknown {
    const texts = this.#texts(raw)
    const [first] = texts
    if (first === undefined) return undefined
    const rule = this.#rule as SchemaRule
    const items = within(rule.schema, rule.schema, (schema) => own(schema, 'items'))
    const types = typesOf(rule.schema, items)
    // Of those that are not looked at, an upstream could take one.
    if (!this.#explode && texts.length > 1) return new Unreadable(TWICE)
    const isApart = this.#explode && this.place !== 'header' && this.#style === 'form'
    const pieces = isApart ? texts : texts.flatMap((text) => this.#split(text))
    return this.#decodeAll(pieces, (text) => typed(text, types))
  }

  #split(text: string): string[] {
    if (text === '') return []
    if (this.#style === 'spaceDelimited') return text.split(/%20|\+| /)
    if (this.#style === 'pipeDelimited') return text.split(/\||%7C/i)
    if (this.#style === 'label' && this.#explode) return text.split('.')
    if (this.#style === 'matrix' && this.#explode) return text.split(`;${this.name}=`)
    return text.split(',').map((piece) => (this.place === 'header' ? piece.trim() : piece))
  }

  #object(raw: Raw): unknown {
    const rule = this.#rule as SchemaRule
    const found: [string, string][] = []
    if (this.place === 'query' && this.#style === 'deepObject') {
      for (const [name, value] of raw.query) {
        const inner = name.startsWith(`${this.name}[`) && name.endsWith(']')
        if (inner) found.push([name.slice(this.name.length + 1, -1), value])
      }
    } else if (this.#style === 'form' && this.#explode && this.place !== 'header') {
      const properties = within(rule.schema, rule.schema, (schema) => own(schema, 'properties'))
      const names = new Set(Object.keys(properties ?? {}))
      for (const [name, value] of raw[this.place as 'query']) if (names.has(name)) found.push([name, value])
    } else {
      const texts = this.#texts(raw)
      const [text] = texts
      if (text === undefined) return undefined
      if (texts.length > 1) return new Unreadable(TWICE)
      found.push(...this.#pairs(text))
    }
    return found.length === 0 ? undefined : this.#objectOf(found, rule)
  }

  #pairs(text: string): [string, string][] {
    const pieces = text.split(this.#explode && this.#style !== 'simple' ? /[.;]/ : ',')
    if (this.#explode) {
      return pieces.map((piece) => {
        const at = piece.indexOf('=')
        return at === -1 ? [this.#nameIn(piece), ''] : [this.#nameIn(piece.slice(0, at)), piece.slice(at + 1)]
      })
    }
    const pairs: [string, string][] = []
    for (let i = 0; i < pieces.length; i += 2) pairs.push([this.#nameIn(pieces[i] as string), pieces[i + 1] ?? ''])
    return pairs
  }

  /** One that cannot be decoded is none that a schema speaks of. */
  #nameIn(text: string): string {
    const decoded = this.#decode(text)
    return decoded instanceof Unreadable ? text : decoded
  }

  #objectOf(pairs: readonly [string, string][], { schema }: SchemaRule): unknown {
    const entries: [string, unknown][] = []
    if (new Set(pairs.map(([name]) => name)).size < pairs.length) return new Unreadable(TWICE)
    for (const [name, text] of pairs) {
      const decoded = this.#decode(text)
      if (decoded instanceof Unreadable) return decoded
      const property = within(schema, schema, (one) => own(objectOf(own(one, 'properties')), name))
      entries.push([name, typed(decoded, typesOf(schema, property))])
    }
    // It defines properties: a name such as __proto__ is one as any other.
    return Object.fromEntries(entries)
  }

  #decodeAll(pieces: readonly string[], read: (text: string) => unknown): unknown {
    const values: unknown[] = []
    for (const piece of pieces) {
      const decoded = this.#decode(piece)
      if (decoded instanceof Unreadable) return decoded
      values.push(read(decoded))
    }
    return values
  }

  #decode(text: string): string | Unreadable {
    if (this.place === 'header' || this.place === 'cookie') return text
    const plain = this.place === 'query' ? text.replaceAll('+', ' ') : text
    return decodedText(plain) ?? new Unreadable('is no percent-encoded UTF-8')
  }
}

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

/** Text as a value of one of these types; text, where it is none. */
function typed(text: string, types: ReadonlySet<string>): unknown {
  if (types.has('string')) return text
  if ((types.has('integer') || types.has('number')) && NUMBER.test(text)) return Number(text)
  if (types.has('boolean') && (text === 'true' || text === 'false')) return text === 'true'
  if (types.has('null') && (text === '' || text === 'null')) return null
  return text
}
