import type * as Yaml from 'yaml'
import { onDemand } from '../lifetime/on-demand.ts'
import { isObject, textOf, type JsonObject } from './document.ts'
import { SpecificationInvalidError, SpecificationVersionError } from './errors.ts'

const yaml = onDemand<typeof Yaml>('yaml')

/** Largest YAML that is parsed, in characters: 8 Mi take 6 s, in which nothing else is served; as JSON, 50 ms. */
const MAX_YAML_LENGTH = 1024 * 1024
const MAX_EXPANDED_LENGTH = 8 * 1024 * 1024

/**
 * Reads the text of an OpenAPI 3.x document, JSON or YAML (what begins with a brace is JSON).
 *
 * @throws HR_OPENAPI_INVALID for text that is no such document; HR_OPENAPI_VERSION_UNSUPPORTED for Swagger 2.0 and others
 */
export function parseSpecification(text: string): JsonObject {
  const document = parseText(text.replace(/^\uFEFF/, ''))
  if (!isObject(document)) throw new SpecificationInvalidError('is no OpenAPI document: it holds no object')
  if (document['swagger'] !== undefined) {
    throw new SpecificationVersionError(
      `is Swagger ${textOf(document['swagger'])}; OpenAPI 3.0 and 3.1 are merged: convert it, for example with 'npx swagger2openapi'`,
    )
  }
  const version = document['openapi']
  if (version === undefined) throw new SpecificationInvalidError(`is no OpenAPI document: it has no field 'openapi'`)
  if (!/^3\.\d+(\.\d+)?(-.*)?$/.test(textOf(version))) {
    throw new SpecificationVersionError(`is OpenAPI ${textOf(version)}; 3.0 and 3.1 are merged`)
  }
  return document
}

/** SyntaxError by JSON.parse, ReferenceError by yaml's bound on aliases, TypeError by JSON.stringify for a cycle. */
const PARSE_ERRORS = [SyntaxError, ReferenceError, TypeError]

function parseText(text: string): unknown {
  const isJson = text.trimStart().startsWith('{')
  if (!isJson && text.length > MAX_YAML_LENGTH) {
    throw new SpecificationInvalidError('is YAML of more than 1 MiB, which takes seconds to parse: give it as JSON')
  }
  try {
    return JSON.parse(isJson ? text : yamlAsJson(text))
  } catch (cause) {
    if (!PARSE_ERRORS.some((type) => cause instanceof type) && !(cause instanceof yaml().YAMLError)) throw cause
    const [reason] = (cause as Error).message.split('\n')
    throw new SpecificationInvalidError(`cannot be parsed: ${reason}`, { cause })
  }
}

/** YAML has more than JSON: cycles, which throw here, and aliases, which may stand for more than was sent. */
function yamlAsJson(text: string): string {
  const json = JSON.stringify(yaml().parse(text, { logLevel: 'error' }) ?? null)
  if (json.length > MAX_EXPANDED_LENGTH) throw new SyntaxError('its aliases stand for more than 8 MiB')
  return json
}
