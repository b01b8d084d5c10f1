import { type Json, objectOf, objectsOf, own } from './document.ts'

/**
 * The names of schemas that have another one in their `allOf`, by that one: nothing but a discriminator leads to them.
 *
 * @param baseOf what a `$ref` leads to; `undefined` for nothing
 */
export function heirsByBase(
  schemas: Iterable<readonly [name: string, schema: Json]>,
  baseOf: (reference: Json | undefined) => string | undefined,
): Map<string, string[]> {
  const heirs = new Map<string, string[]>()
  for (const [name, schema] of schemas) {
    for (const part of objectsOf(objectOf(schema)['allOf'])) {
      const base = baseOf(own(part, '$ref'))
      if (base === undefined) continue
      const known = heirs.get(base)
      if (known === undefined) heirs.set(base, [name])
      else known.push(name)
    }
  }
  return heirs
}
