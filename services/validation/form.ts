import { decodedText } from '../http/query-text.ts'
import { pointerToken } from '../http/json-pointer.ts'
import { objectOf, own, type JsonObject } from '../openapi/document.ts'
import type { Findings } from './finding.ts'
import { queryPairs } from './raw.ts'
import { propertiesOf, typesOf, within } from './value-types.ts'
import { NOTHING, type Pairs, typed, Unreadable, WrittenValue } from './written-value.ts'

/** Fields of a form that is read; a form of more is refused, as most who read forms do. */
const MOST_FIELDS = 1_000

/**
 * A form as application/x-www-form-urlencoded, as the value that a schema speaks of: each property by its `encoding`
 * (OpenAPI 3.1, §4.8.15), where there is none an object as JSON under its name or else as the fields of its members, and a
 * list as fields of one name.
 */
export class Form {
  readonly #schema: JsonObject
  readonly #properties: readonly WrittenValue[]

  /** @param schema that stands alone @param encoding by property */
  constructor(schema: JsonObject, encoding: JsonObject) {
    this.#schema = schema
    this.#properties = Object.entries(propertiesOf(schema, schema)).map(
      ([name, property]) => new WrittenValue({ ...writingOf(objectOf(own(encoding, name))), name }, property, schema),
    )
  }

  /** @returns `undefined` where it cannot be read: `findings` say so */
  read(text: string, findings: Findings): JsonObject | undefined {
    if (text.split('&', MOST_FIELDS + 1).length > MOST_FIELDS) {
      findings.add('body', '', `has more than ${MOST_FIELDS} fields`)
      return undefined
    }
    const query = queryPairs(text)
    const members = new Map<string, unknown>()
    const before = findings.list.length
    for (const property of this.#properties) {
      const value = property.read({ ...NOTHING, query })
      if (value instanceof Unreadable) findings.add('body', `/${pointerToken(property.name)}`, value.message)
      else if (value !== undefined) members.set(property.name, value)
    }
    const names = new Set(query.map(([name]) => name))
    this.#readOthers(
      query.filter(([name]) => !this.#properties.some((property) => property.takes(name, names))),
      members,
    )
    return findings.list.length > before ? undefined : (Object.fromEntries(members) as JsonObject)
  }

  /** Fields that no property is of. */
  #readOthers(pairs: Pairs, members: Map<string, unknown>): void {
    const types = typesOf(
      this.#schema,
      within(this.#schema, this.#schema, (one) => own(one, 'additionalProperties')),
    )
    const byName = new Map<string, unknown[]>()
    for (const [name, text] of pairs) {
      const value = typed(decodedText(text.replaceAll('+', ' ')) ?? text, types)
      const known = byName.get(name)
      if (known === undefined) byName.set(name, [value])
      else known.push(value)
    }
    for (const [name, values] of byName) members.set(name, values.length === 1 ? values[0] : values)
  }
}

function writingOf(encoding: JsonObject): Omit<ConstructorParameters<typeof WrittenValue>[0], 'name'> {
  const style = own(encoding, 'style')
  const explode = own(encoding, 'explode')
  return {
    place: 'query',
    style: typeof style === 'string' ? style : 'form',
    explode: typeof explode === 'boolean' ? explode : style === undefined || style === 'form',
    isText: false,
    isOfForm: true,
  }
}
