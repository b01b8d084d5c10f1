import type { Type as TypeBox } from 'typebox'

type Schema = Record<string, unknown>

/** Schemas that an object may be without; TypeBox has a hidden property for it. */
const optionals = new WeakSet<object>()

function requiredOf(properties: Record<string, object>): { required?: string[] } {
  const required = Object.keys(properties).filter((name) => !optionals.has(properties[name] as object))
  return required.length > 0 ? { required } : {}
}

function optional(schema: object): object {
  const copy = { ...schema }
  optionals.add(copy)
  return copy
}

const builders = {
  Array: (items: object, options?: Schema) => ({ type: 'array', items, ...options }),
  Boolean: (options?: Schema) => ({ type: 'boolean', ...options }),
  Integer: (options?: Schema) => ({ type: 'integer', ...options }),
  Literal: (value: string | number | boolean, options?: Schema) => ({ type: typeof value, const: value, ...options }),
  Null: (options?: Schema) => ({ type: 'null', ...options }),
  Number: (options?: Schema) => ({ type: 'number', ...options }),
  Object: (properties: Record<string, object>, options?: Schema) => ({
    type: 'object',
    ...requiredOf(properties),
    properties,
    ...options,
  }),
  Optional: optional,
  Record: ({ pattern = '^.*$' }: { pattern?: string }, value: object, options?: Schema) => ({
    type: 'object',
    patternProperties: { [pattern]: value },
    ...options,
  }),
  String: (options?: Schema) => ({ type: 'string', ...options }),
  Union: (anyOf: object[], options?: Schema) => ({ anyOf, ...options }),
  Unknown: (options?: Schema) => ({ ...options }),
  Unsafe: (schema: object) => ({ ...schema }),
}

/**
 * What the gateway's schemas are made with: as many of [TypeBox](https://github.com/sinclairzx81/typebox)'s builders as they
 * need, with its types, so that `Static` says what a schema stands for. They make the same JSON Schema; loading the library
 * for it would be a fifth of what starting a process costs.
 */
export const Type = builders as unknown as Pick<typeof TypeBox, keyof typeof builders>
