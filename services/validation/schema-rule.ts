import type * as AjvOf2020 from 'ajv/dist/2020.js'
import type { Ajv2020, ErrorObject, FuncKeywordDefinition, ValidateFunction } from 'ajv/dist/2020.js'
import { pointerToken } from '../http/json-pointer.ts'
import { onDemand } from '../lifetime/on-demand.ts'
import { objectOf, own, type Json, type JsonObject } from '../openapi/document.ts'
import type { Specification } from '../openapi/specification.ts'
import { bundle, type Direction } from './bundle.ts'
import type { FindingPlace, Findings } from './finding.ts'
import { uniqueItems } from './unique-items.ts'

/**
 * Values within a value of which all faults are looked for. What Ajv takes for that grows with the square of their number:
 * a millisecond for these, and half a minute for a list that fills a mebibyte.
 */
const MOST_VALUES = 1_000

/**
 * Schemas that a search for all faults goes into by reference: an alternative that a search for the first leaves at once is
 * gone through to its end then, and where schemas have themselves within them twice as many are with each level.
 */
const MOST_REFERENCES = 5_000

/** One schema, compiled. */
export class SchemaRule {
  /** As it stands alone. */
  readonly schema: JsonObject
  /** Stops at the first fault, as what is valid has none. */
  readonly #validate: ValidateFunction | undefined
  /** Looks for all; compiled for the first value that has one. */
  #search: Search | undefined

  /** A schema that cannot be compiled lets anything be. */
  constructor(specification: Specification, schema: Json, direction: Direction) {
    this.schema = bundle(specification, schema, direction)
    this.#validate = compiled(this.schema, { allErrors: false })
  }

  /** @param before of what the value is within: put before each pointer */
  check(
    value: unknown,
    { place, before, findings }: { place: FindingPlace; before: string; findings: Findings },
  ): void {
    const validate = this.#validate
    if (validate === undefined || validate(value)) return
    const [first] = validate.errors ?? []
    const all = isWithin(value, MOST_VALUES) ? (this.#search ??= new Search(this.schema)).errorsOf(value) : null
    if (all === null) findings.truncated = true
    for (const error of all ?? (first === undefined ? [] : [first])) {
      findings.add(place, before + pointerOf(error), error.message ?? 'is not as the schema says')
    }
  }
}

/** Thrown by a search that takes too long, to end it. */
class Spent extends Error {}

const REFERENCED = 'x-headrace-referenced'

/** A schema, compiled to look for all faults of a value. */
class Search {
  readonly #validate: ValidateFunction | undefined
  #left = 0

  constructor(schema: JsonObject) {
    const definitions = Object.entries(objectOf(own(schema, '$defs'))).map(([name, one]) => {
      return [name, { ...objectOf(one), [REFERENCED]: true }] as const
    })
    const counted = { ...schema, $defs: Object.fromEntries(definitions) }
    const validate = (): boolean => {
      if (--this.#left < 0) throw new Spent()
      return true
    }
    this.#validate = compiled(counted, { allErrors: true, keyword: { keyword: REFERENCED, validate } })
  }

  /** @returns `null`: to find them would take too long */
  errorsOf(value: unknown): readonly ErrorObject[] | null {
    this.#left = MOST_REFERENCES
    try {
      return this.#validate?.(value) === false ? (this.#validate.errors ?? null) : null
    } catch (error) {
      if (error instanceof Spent) return null
      throw error
    }
  }
}

function pointerOf({ instancePath, params }: ErrorObject): string {
  const named = (params['missingProperty'] ?? params['additionalProperty'] ?? params['unevaluatedProperty']) as unknown
  return typeof named === 'string' ? `${instancePath}/${pointerToken(named)}` : instancePath
}

/** Whether a value has at most so many others within it. */
function isWithin(value: unknown, most: number): boolean {
  const open = [value]
  let seen = 0
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    if (typeof one !== 'object' || one === null) continue
    const inner = Object.values(one)
    seen += inner.length
    if (seen > most) return false
    for (const each of inner) open.push(each)
  }
  return true
}

const ajvOf2020 = onDemand<typeof AjvOf2020>('ajv/dist/2020.js')
const formats = onDemand<{ default: (ajv: Ajv2020) => void }>('ajv-formats')

function compiled(
  schema: JsonObject,
  { allErrors, keyword }: { allErrors: boolean; keyword?: FuncKeywordDefinition },
): ValidateFunction | undefined {
  for (const unicodeRegExp of [true, false]) {
    try {
      // One for each: what it keeps of a schema goes with its rule.
      const ajv = new (ajvOf2020().Ajv2020)({
        strict: false,
        allErrors,
        validateSchema: false,
        // The schema of schemas, which takes longer to read than all others here.
        meta: false,
        logger: false,
        unicodeRegExp,
        addUsedSchema: false,
        inlineRefs: false,
        // 19.99 is a multiple of 0.01, whatever a double says.
        multipleOfPrecision: 6,
        // Every object has a `constructor` otherwise, sent or not.
        ownProperties: true,
      })
      formats().default(ajv)
      ajv.removeKeyword('uniqueItems').addKeyword(uniqueItems)
      if (keyword !== undefined) ajv.addKeyword(keyword)
      return ajv.compile(schema)
    } catch {
      // A pattern that is none with the flag u may be one without; anything else fails twice.
    }
  }
  return undefined
}
