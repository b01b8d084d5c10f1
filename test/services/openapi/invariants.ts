import {
  isObject,
  METHODS,
  objectOf,
  objectsOf,
  textOf,
  type Json,
  type JsonObject,
} from '../../../services/openapi/document.ts'
import { parametersOf, shapeOfPath } from '../../../services/openapi/exposure.ts'
import { parsePointer, resolvePointer } from '../../../services/openapi/references.ts'

/** Every `$ref` below a node that is not inside data: examples, defaults, extensions. */
export function referencesIn(node: Json | undefined): string[] {
  if (Array.isArray(node)) return node.flatMap(referencesIn)
  if (!isObject(node)) return []
  return Object.entries(node).flatMap(([key, value]) => {
    if (key === '$ref' && typeof value === 'string') return [value]
    if (key === 'mapping') return Object.values(objectOf(value)).filter((target) => typeof target === 'string')
    const isData = ['example', 'examples', 'default', 'enum', 'const'].includes(key) || key.startsWith('x-')
    return isData ? [] : referencesIn(value)
  })
}

/** What is wrong with a merged document; nothing, where it keeps what OpenAPI 3.1 asks of one. */
export function violations(document: JsonObject): string[] {
  const found: string[] = []
  if (document['openapi'] !== '3.1.0') found.push(`openapi is ${textOf(document['openapi'])}`)
  for (const reference of referencesIn(document)) {
    const pointer = parsePointer(reference)
    if (pointer === undefined || !isObject(resolvePointer(document, pointer))) found.push(`dangling ${reference}`)
  }
  const components = objectOf(document['components'])
  for (const [kind, folder] of Object.entries(components)) {
    for (const name of Object.keys(objectOf(folder))) {
      if (!/^[A-Za-z0-9._-]+$/.test(name)) found.push(`component name ${kind}/${name}`)
    }
  }
  const shapes = new Set<string>()
  const ids = new Set<string>()
  for (const [path, item] of Object.entries(objectOf(document['paths']))) {
    if (shapes.has(shapeOfPath(path))) found.push(`two paths of the shape of ${path}`)
    shapes.add(shapeOfPath(path))
    for (const method of METHODS) {
      const operation = objectOf(item)[method]
      if (isObject(operation)) found.push(...operationViolations(path, operation, document, ids))
    }
  }
  const tags = objectsOf(document['tags']).map(({ name }) => name)
  if (new Set(tags).size !== tags.length) found.push('a tag twice')
  return found
}

function operationViolations(path: string, operation: JsonObject, document: JsonObject, ids: Set<string>): string[] {
  const found: string[] = []
  const id = operation['operationId']
  if (typeof id === 'string') {
    if (ids.has(id)) found.push(`operationId ${id} twice`)
    ids.add(id)
  }
  const parameters = objectsOf(operation['parameters'])
  const inPath = parameters.filter((parameter) => parameter['in'] === 'path').map(({ name }) => textOf(name))
  const expected = [...new Set(parametersOf(path))]
  if (inPath.length !== expected.length || !expected.every((name) => inPath.includes(name))) {
    found.push(`path parameters of ${path}: ${inPath.join()}`)
  }
  const schemes = objectOf(objectOf(document['components'])['securitySchemes'])
  for (const requirement of objectsOf(operation['security'])) {
    for (const name of Object.keys(requirement)) if (!Object.hasOwn(schemes, name)) found.push(`security ${name}`)
  }
  const tags = new Set(objectsOf(document['tags']).map(({ name }) => name))
  for (const tag of Array.isArray(operation['tags']) ? operation['tags'] : []) {
    if (typeof tag === 'string' && !tags.has(tag)) found.push(`tag ${tag} is not in the list`)
  }
  return found
}
