import { pointerToken } from '../http/json-pointer.ts'
import { isObject, objectOf, own, textOf, type JsonObject } from '../openapi/document.ts'
import type { Specification } from '../openapi/specification.ts'
import type { Findings } from './finding.ts'
import { readJsonValue } from './json-value.ts'
import { SchemaRule } from './schema-rule.ts'
import { type ParameterPlace, type Raw, Unreadable, WrittenValue } from './written-value.ts'

/** One parameter of an operation, read as it is written and validated. */
export class Parameter {
  readonly name: string
  readonly place: ParameterPlace
  readonly #required: boolean
  readonly #mayBeEmpty: boolean
  readonly #value: WrittenValue
  readonly #rule: SchemaRule | null
  /** The value is JSON (`content`). */
  readonly #isJson: boolean

  constructor(specification: Specification, node: JsonObject, place: ParameterPlace) {
    this.name = textOf(own(node, 'name'))
    this.place = place
    this.#required = own(node, 'required') === true || place === 'path'
    this.#mayBeEmpty = place === 'query' && own(node, 'allowEmptyValue') === true
    const content = own(node, 'content')
    this.#isJson = isObject(content)
    const [media] = Object.values(objectOf(content))
    const schema = isObject(content) ? own(specification.object(media), 'schema') : own(node, 'schema')
    this.#rule = schema === undefined ? null : new SchemaRule(specification, schema, 'request')
    const given = own(node, 'style')
    const style = typeof given === 'string' ? given : place === 'query' || place === 'cookie' ? 'form' : 'simple'
    const explode = own(node, 'explode')
    this.#value = new WrittenValue(
      {
        name: this.name,
        place,
        style,
        explode: typeof explode === 'boolean' ? explode : style === 'form',
        isText: this.#isJson,
      },
      this.#rule?.schema ?? null,
    )
  }

  check(raw: Raw, findings: Findings): void {
    const given = this.#value.read(raw)
    if (given === undefined && !this.#required) return
    if (given === '' && this.#mayBeEmpty) return
    const before = `/${pointerToken(this.name)}`
    const where = { place: this.place, before, findings }
    if (given === undefined) findings.add(this.place, before, 'is missing')
    else if (given instanceof Unreadable) findings.add(this.place, before, given.message)
    else {
      const value = this.#isJson ? readJsonValue(given as string, where) : given
      if (value !== undefined) this.#rule?.check(value, where)
    }
  }
}
