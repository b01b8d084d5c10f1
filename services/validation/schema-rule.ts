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
 * How often a value is held against schemas by reference: where alternatives have themselves within them, each level of it
 * may double that. A search for all faults ends there, a search for the first goes on by the size of the value.
 */
const MOST_REFERENCES = 5_000
const MOST_REFERENCES_OF_FIRST = 50_000
const MOST_REFERENCES_A_VALUE = 200

/** One schema, compiled. */
export class SchemaRule {
  /** As it stands alone. */
  readonly schema: JsonObject
  /** Stops at the first fault, as what is valid has none. */
  readonly #first: CompiledSchema
  /** Looks for all; compiled for the first value that has one. */
  #all: CompiledSchema | undefined

  /** A schema that cannot be compiled lets anything be. */
  constructor(specification: Specification, schema: Json, direction: Direction) {
    this.schema = bundle(specification, schema, direction)
    this.#first = new CompiledSchema(this.schema, false)
  }

  /** @param before of what the value is within: put before each pointer */
  check(
    value: unknown,
    { place, before, findings }: { place: FindingPlace; before: string; findings: Findings },
  ): void {
    const first =
      this.#first.errorsOf(value, MOST_REFERENCES_OF_FIRST) ??
      this.#first.errorsOf(value, MOST_REFERENCES_OF_FIRST + MOST_REFERENCES_A_VALUE * valuesIn(value))
    if (first === null) findings.add(place, before, 'takes too long to be compared with its schema')
    if (first === null || first.length === 0) return
    const all = valuesIn(value, MOST_VALUES) > MOST_VALUES ? null : this.#errorsOf(value)
    if (all === null) findings.truncated = true
    for (const error of all ?? first.slice(0, 1)) {
      findings.add(place, before + pointerOf(error), error.message ?? 'is not as the schema says')
    }
  }

  #errorsOf(value: unknown): readonly ErrorObject[] | null {
    this.#all ??= new CompiledSchema(this.schema, true)
    return this.#all.errorsOf(value, MOST_REFERENCES)
  }
}

/** Thrown where a comparison takes too long, to end it. */
class Spent extends Error {}

const REFERENCED = 'x-headrace-referenced'
const NONE: readonly ErrorObject[] = []

/** A schema, compiled so that it can be ended. */
class CompiledSchema {
  readonly #validate: ValidateFunction | undefined
  #left = 0

  constructor(schema: JsonObject, allErrors: boolean) {
    // To count takes longer than to compare: it is for schemas that have themselves within them alone.
    const given = isRecursive(schema) ? objectOf(own(schema, '$defs')) : {}
    const definitions = Object.entries(given).map(([name, one]) => {
      // One that is but a reference is counted where that leads.
      return [name, isReference(one) ? one : { ...objectOf(one), [REFERENCED]: true }] as const
    })
    const validate = (): boolean => {
      if (--this.#left < 0) throw new Spent()
      return true
    }
    const counted = { ...schema, $defs: { ...objectOf(own(schema, '$defs')), ...Object.fromEntries(definitions) } }
    this.#validate = compiled(counted, { allErrors, keyword: { keyword: REFERENCED, validate } })
  }

  /** @returns `null`: to know them would take more references than `most` */
  errorsOf(value: unknown, most: number): readonly ErrorObject[] | null {
    if (this.#validate === undefined) return NONE
    this.#left = most
    try {
      return this.#validate(value) ? NONE : (this.#validate.errors ?? NONE)
    } catch (error) {
      // RangeError: of a schema that goes round within the same value, the stack is full before.
      if (error instanceof Spent || error instanceof RangeError) return null
      throw error
    }
  }
}

/** Whether one of the definitions of a schema that stands alone leads to itself. */
function isRecursive(schema: JsonObject): boolean {
  const left = new Map(
    Object.entries(objectOf(own(schema, '$defs'))).map(([name, one]) => [
      name,
      [...JSON.stringify(one).matchAll(/"#\/\$defs\/(s\d+)"/g)].map(([, to]) => to as string),
    ]),
  )
  // Those that lead to none that is left lead to no circle.
  for (let before = Infinity; left.size < before; ) {
    before = left.size
    for (const [name, to] of left) if (!to.some((one) => left.has(one))) left.delete(name)
  }
  return left.size > 0
}

function isReference(schema: Json): boolean {
  return Object.keys(objectOf(schema)).join() === '$ref'
}

function pointerOf({ instancePath, params }: ErrorObject): string {
  const named = (params['missingProperty'] ?? params['additionalProperty'] ?? params['unevaluatedProperty']) as unknown
  return typeof named === 'string' ? `${instancePath}/${pointerToken(named)}` : instancePath
}

/** How many values a value has within it; counted no further than beyond `most`. */
function valuesIn(value: unknown, most = Infinity): number {
  const open = [value]
  let seen = 0
  for (let one = open.pop(); one !== undefined && seen <= most; one = open.pop()) {
    if (typeof one !== 'object' || one === null) continue
    const inner = Object.values(one)
    seen += inner.length
    for (const each of inner) open.push(each)
  }
  return seen
}

const ajvOf2020 = onDemand<typeof AjvOf2020>('ajv/dist/2020.js')
const formats = onDemand<{ default: (ajv: Ajv2020) => void }>('ajv-formats')

function compiled(
  schema: JsonObject,
  { allErrors, keyword }: { allErrors: boolean; keyword: FuncKeywordDefinition },
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
      ajv.removeKeyword('uniqueItems').addKeyword(uniqueItems).addKeyword(keyword)
      return ajv.compile(schema)
    } catch {
      // A pattern that is none with the flag u may be one without; anything else fails twice.
    }
  }
  return undefined
}
