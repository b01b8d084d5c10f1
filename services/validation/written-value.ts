import { readJsonText } from '../http/json-text.ts'
import { decodedText } from '../http/query-text.ts'
import { objectOf, own, type JsonObject } from '../openapi/document.ts'
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

/** Nothing of a request. */
export const NOTHING: Raw = { path: new Map(), query: [], cookie: [], header: () => undefined }

const TWICE = 'stands more than once'

/** A value that could not be read. */
export class Unreadable {
  readonly message: string

  constructor(message: string) {
    this.message = message
  }
}

/** How a value is written as text. */
export interface Writing {
  name: string
  place: ParameterPlace
  style: string
  explode: boolean
  /** It is one text, whatever it is of: JSON, say. */
  isText: boolean
  /** Of a body, not of a query. */
  isOfForm?: boolean
}

/**
 * A value that is written as text by a `style` and `explode` (OpenAPI 3.1, §4.8.12). What its schema wants as a number or a
 * truth value is read from its text.
 */
export class WrittenValue {
  readonly name: string
  readonly place: ParameterPlace
  readonly #style: string
  readonly #explode: boolean
  readonly #isText: boolean
  readonly #isOfForm: boolean
  readonly #root: JsonObject
  readonly #schema: JsonObject | null
  readonly #types: ReadonlySet<string>
  readonly #memberNames: ReadonlySet<string>
  /** It is read as a list, or as an object; of what may be text as well, the text is. */
  readonly #isArray: boolean
  readonly #isObject: boolean

  /** @param schema `null`: nothing is said of it; `root`: whose `$defs` its references are into */
  constructor(
    { name, place, style, explode, isText, isOfForm = false }: Writing,
    schema: JsonObject | null,
    root: JsonObject = schema ?? {},
  ) {
    this.name = name
    this.place = place
    this.#style = style
    this.#explode = explode
    this.#isText = isText
    this.#isOfForm = isOfForm
    this.#root = root
    this.#schema = schema
    this.#types = typesOf(root, schema ?? undefined)
    const isStructure = !isText && !this.#types.has('string')
    this.#isArray = isStructure && this.#types.has('array')
    this.#isObject = isStructure && !this.#isArray && this.#types.has('object')
    this.#memberNames = new Set(Object.keys(within(root, schema ?? {}, (one) => own(one, 'properties')) ?? {}))
  }

  /** @returns an {@link Unreadable}, too; `undefined` where it is not there */
  read(raw: Raw): unknown {
    if (this.#isText) return this.#single(raw)
    if (this.#schema === null) return this.#isThere(raw) ? '' : undefined
    if (this.#isArray) return this.#array(raw, this.#schema)
    if (this.#isObject) return this.#object(raw, this.#schema)
    const text = this.#single(raw)
    return typeof text === 'string' ? typed(text, this.#types) : text
  }

  /**
   * Whether a field of a form is (a part of) it: what {@link read} looks at, and nothing else.
   *
   * @param names of all fields
   */
  takes(name: string, names: ReadonlySet<string>): boolean {
    if (this.#isObject && this.#style === 'deepObject') return this.#memberOf(name) !== undefined
    if (name === this.name) return true
    const isByMembers = this.#isObject && this.#style === 'form' && this.#explode && !names.has(this.name)
    return isByMembers && this.#memberNames.has(name)
  }

  /** Of `deepObject`: `p[x]` is `x`. */
  #memberOf(name: string): string | undefined {
    const isInner = name.startsWith(`${this.name}[`) && name.endsWith(']')
    return isInner ? name.slice(this.name.length + 1, -1) : undefined
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

  #array(raw: Raw, schema: JsonObject): unknown {
    const texts = this.#texts(raw)
    const [first] = texts
    if (first === undefined) return undefined
    const types = typesOf(
      this.#root,
      within(this.#root, schema, (one) => own(one, 'items')),
    )
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

  #object(raw: Raw, schema: JsonObject): unknown {
    const found: [string, string][] = []
    if (this.place === 'query' && this.#style === 'deepObject') {
      for (const [name, value] of raw.query) {
        const member = this.#memberOf(name)
        if (member !== undefined) found.push([member, value])
      }
    } else if (this.#style === 'form' && this.#explode && this.place !== 'header') {
      // Within a form an object may be JSON (OpenAPI 3.1, §4.8.15.1.1).
      const whole = this.#isOfForm ? this.#single(raw) : undefined
      if (whole !== undefined) return typeof whole === 'string' ? typed(whole, this.#types) : whole
      const names = this.#memberNames
      for (const [name, value] of raw[this.place as 'query']) if (names.has(name)) found.push([name, value])
    } else {
      const texts = this.#texts(raw)
      const [text] = texts
      if (text === undefined) return undefined
      if (texts.length > 1) return new Unreadable(TWICE)
      found.push(...this.#pairs(text))
    }
    return found.length === 0 ? undefined : this.#objectOf(found, schema)
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

  #objectOf(pairs: readonly [string, string][], schema: JsonObject): unknown {
    const entries: [string, unknown][] = []
    if (new Set(pairs.map(([name]) => name)).size < pairs.length) return new Unreadable(TWICE)
    for (const [name, text] of pairs) {
      const decoded = this.#decode(text)
      if (decoded instanceof Unreadable) return decoded
      const property = within(this.#root, schema, (one) => own(objectOf(own(one, 'properties')), name))
      entries.push([name, typed(decoded, typesOf(this.#root, property))])
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
export function typed(text: string, types: ReadonlySet<string>): unknown {
  if (types.has('string')) return text
  if ((types.has('integer') || types.has('number')) && NUMBER.test(text)) return Number(text)
  if (types.has('boolean') && (text === 'true' || text === 'false')) return text === 'true'
  if (types.has('null') && (text === '' || text === 'null')) return null
  return types.has('object') || types.has('array') ? structureIn(text) : text
}

/** Within a value that is text itself, JSON; text, where it is none that can be read in one way. */
function structureIn(text: string): unknown {
  const read = readJsonText(text)
  return typeof read === 'string' || read.duplicate !== undefined ? text : read.value
}
