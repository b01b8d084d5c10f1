import { mediaTypeOf } from '../http/media-type.ts'
import { objectOf, own, type Json, type JsonObject } from '../openapi/document.ts'
import type { Specification } from '../openapi/specification.ts'
import type { Direction } from './bundle.ts'
import type { Findings } from './finding.ts'
import { readJsonValue } from './json-value.ts'
import { Form } from './form.ts'
import { SchemaRule } from './schema-rule.ts'

const JSON_TYPE = /[/+]json$/
const FORM_TYPE = 'application/x-www-form-urlencoded'
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** What a body may be, by its media type; each schema is compiled when a body of its type first comes. */
export class MediaRules {
  /** As the document has them: `application/json`, `text/*`. */
  readonly types: readonly string[]
  readonly #content: JsonObject
  readonly #specification: Specification
  readonly #direction: Direction
  readonly #rules = new Map<string, SchemaRule | null>()
  readonly #forms = new Map<SchemaRule, Form>()

  constructor(specification: Specification, content: Json | undefined, direction: Direction) {
    this.#specification = specification
    this.#content = objectOf(content)
    this.#direction = direction
    this.types = Object.keys(this.#content)
  }

  /** The type of the document that a Content-Type falls under, the most exact first. */
  match(contentType: string | undefined): string | undefined {
    const type = mediaTypeOf(contentType)
    const whole = `${type.split('/', 1)[0]}/*`
    const known = (wanted: string): string | undefined => this.types.find((one) => mediaTypeOf(one) === wanted)
    return known(type) ?? known(whole) ?? known('*/*')
  }

  /** Whether the schema of such a body says anything that can be looked at: of JSON and of forms it does. */
  wantsBody(contentType: string | undefined): boolean {
    const type = this.match(contentType)
    const given = mediaTypeOf(contentType)
    return type !== undefined && (JSON_TYPE.test(given) || given === FORM_TYPE) && this.#rule(type) !== null
  }

  /** Whether a body has parts of which the document says something that nobody here looks at. */
  leavesUnread(contentType: string | undefined): boolean {
    const type = this.match(contentType)
    if (type === undefined || !mediaTypeOf(contentType).startsWith('multipart/')) return false
    return own(this.#specification.object(own(this.#content, type)), 'schema') !== undefined
  }

  /** @param contentType of which {@link wantsBody} */
  check(contentType: string | undefined, body: Buffer, findings: Findings): void {
    const type = this.match(contentType)
    const rule = type === undefined ? null : this.#rule(type)
    if (rule === null) return
    const where = { place: 'body', before: '', findings } as const
    let text: string
    try {
      text = UTF8.decode(body)
    } catch {
      findings.add('body', '', 'is no UTF-8')
      return
    }
    const isForm = mediaTypeOf(contentType) === FORM_TYPE
    const value = isForm ? this.#form(type as string, rule).read(text, findings) : readJsonValue(text, where)
    if (value !== undefined) rule.check(value, where)
  }

  #form(type: string, rule: SchemaRule): Form {
    let form = this.#forms.get(rule)
    if (form === undefined) {
      const encoding = own(this.#specification.object(own(this.#content, type)), 'encoding')
      this.#forms.set(rule, (form = new Form(rule.schema, objectOf(encoding))))
    }
    return form
  }

  #rule(type: string): SchemaRule | null {
    let rule = this.#rules.get(type)
    if (rule === undefined) {
      const schema = own(this.#specification.object(own(this.#content, type)), 'schema')
      rule = schema === undefined ? null : new SchemaRule(this.#specification, schema, this.#direction)
      this.#rules.set(type, rule)
    }
    return rule
  }
}
