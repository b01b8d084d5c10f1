/** JSON as it is parsed: what a specification is made of. */
export type Json = null | boolean | number | string | Json[] | JsonObject
export interface JsonObject {
  [key: string]: Json
}

/** One upstream's specification, parsed and checked by {@link parseSpecification}. */
export interface UpstreamSpecification {
  /** Name of the upstream in the configuration. */
  upstream: string
  /** The OpenAPI 3.x document. */
  document: JsonObject
  /** Path that relative server addresses of the document start from: where it was fetched, `/` for a file. */
  base: string
  /** Origins of the upstream: a `servers` entry of the document that names one of them is preferred. */
  targets: readonly string[]
}

/** Something about a specification that people should know; never fatal. */
export interface OpenapiWarning {
  code:
    | 'HR_OPENAPI_UNAVAILABLE'
    | 'HR_OPENAPI_INVALID'
    | 'HR_OPENAPI_VERSION_UNSUPPORTED'
    | 'HR_OPENAPI_REFERENCE_UNRESOLVED'
    | 'HR_OPENAPI_SECURITY_UNKNOWN'
    | 'HR_OPENAPI_OPERATION_CONTESTED'
    | 'HR_OPENAPI_LINK_DROPPED'
    | 'HR_OPENAPI_TOO_DEEP'
  upstream: string
  message: string
}

/** Fields of a Path Item Object that hold an operation (OpenAPI 3.1, §4.8.9), in the order they are shown. */
export const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'] as const
export type Method = (typeof METHODS)[number]

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value as an object; an empty one where a document has something else (specifications come from elsewhere). */
export function objectOf(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {}
}

/** The objects of a list; empty where a document has something else. */
export function objectsOf(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

/** Text as it is; a number, which is what YAML makes of `3.0`, as text; anything else as JSON, for people to read. */
export function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null)
}

/** A property of the object itself: `constructor` and the like are names as any other in a specification. */
export function own(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined
}

/** The object without some of its properties; itself, where it has none of them. */
export function without(object: JsonObject, ...keys: string[]): JsonObject {
  // most have none of them: no copy then
  if (!keys.some((key) => Object.hasOwn(object, key))) return object
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)))
}
