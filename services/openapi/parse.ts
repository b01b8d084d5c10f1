import { parse as parseYaml, YAMLError } from 'yaml'
import { isObject, textOf, type JsonObject } from './document.ts'
import { SpecificationInvalidError, SpecificationVersionError } from './errors.ts'

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

function parseText(text: string): unknown {
  try {
    // yaml expands aliases a bounded number of times (maxAliasCount) and throws beyond
    return text.trimStart().startsWith('{') ? JSON.parse(text) : parseYaml(text, { logLevel: 'error' })
  } catch (cause) {
    if (!(cause instanceof SyntaxError || cause instanceof YAMLError || cause instanceof ReferenceError)) throw cause
    const [reason] = cause.message.split('\n')
    throw new SpecificationInvalidError(`cannot be parsed: ${reason}`, { cause })
  }
}
