import type * as AjvOf2020 from 'ajv/dist/2020.js'
import type { Ajv2020, ValidateFunction } from 'ajv/dist/2020.js'
import { onDemand } from '../lifetime/on-demand.ts'
import type { Json, JsonObject } from '../openapi/document.ts'
import type { Specification } from '../openapi/specification.ts'
import { bundle, type Direction } from './bundle.ts'
import { type Finding, finding, type FindingPlace, token } from './finding.ts'
import { typesOf } from './value-types.ts'

/** One schema, compiled. */
export class SchemaRule {
  /** As it stands alone. */
  readonly schema: JsonObject
  /** What parameters, which are text, are read as. */
  readonly types: ReadonlySet<string>
  readonly #validate: ValidateFunction | undefined

  /** A schema that cannot be compiled (a pattern that is none, say) lets anything be. */
  constructor(specification: Specification, schema: Json, direction: Direction) {
    this.schema = bundle(specification, schema, direction)
    this.types = typesOf(this.schema, this.schema)
    this.#validate = compiled(this.schema)
  }

  /** The first thing that is not as it should be: to look for all takes as long as an attacker likes. */
  check(value: unknown, place: FindingPlace, before: string): Finding | undefined {
    if (this.#validate === undefined || this.#validate(value)) return undefined
    const [error] = this.#validate.errors ?? []
    if (error === undefined) return undefined
    const { instancePath, message = 'is not as the schema says', params } = error
    const named = (params['missingProperty'] ??
      params['additionalProperty'] ??
      params['unevaluatedProperty']) as unknown
    const at = typeof named === 'string' ? `${instancePath}/${token(named)}` : instancePath
    return finding(place, before + at, message)
  }
}

const ajvOf2020 = onDemand<typeof AjvOf2020>('ajv/dist/2020.js')
const formats = onDemand<{ default: (ajv: Ajv2020) => void }>('ajv-formats')

function compiled(schema: JsonObject): ValidateFunction | undefined {
  for (const unicodeRegExp of [true, false]) {
    try {
      // One for each: what it keeps of a schema goes with its rule.
      const ajv = new (ajvOf2020().Ajv2020)({
        strict: false,
        allErrors: false,
        validateSchema: false,
        // The schema of schemas, which takes longer to read than all others here.
        meta: false,
        logger: false,
        unicodeRegExp,
        addUsedSchema: false,
        inlineRefs: false,
      })
      formats().default(ajv)
      return ajv.compile(schema)
    } catch {
      // A pattern that is none with the flag u may be one without; anything else fails twice.
    }
  }
  return undefined
}
