import { objectsOf, textOf, type JsonObject } from './document.ts'
import { parametersOf } from './exposure.ts'
import type { Lifter } from './lift.ts'
import type { Exposure } from './operations.ts'

/**
 * The parameters of an operation at its public path: its path item's and its own (which win), lifted. Those of the path
 * stand in place, not as references, since the public path decides which there are and what they are called.
 *
 * @param path the path as shown: its parameters stand for those of `exposure.public.path`, in order
 */
export function publicParameters(exposure: Exposure, path: string, lifter: Lifter): JsonObject[] {
  const names = new Map(zip(parametersOf(exposure.public.path), parametersOf(path)))
  const byIdentity = new Map<string, JsonObject>()
  for (const parameter of [...objectsOf(exposure.item['parameters']), ...objectsOf(exposure.operation['parameters'])]) {
    const resolved = lifter.follow('parameters', parameter)
    if (resolved === undefined) {
      lifter.parameter(parameter) // says that it is left out
      continue
    }
    const name = textOf(resolved['name'])
    const isPath = resolved['in'] === 'path'
    const shown = isPath ? names.get(name) : name
    if (shown === undefined) continue
    const lifted = lifter.parameter(isPath ? resolved : parameter)
    if (lifted === undefined) continue
    const settled = isPath ? { ...lifted, name: shown, required: true } : lifted
    byIdentity.set(JSON.stringify([resolved['in'], shown]), settled)
  }
  const pathParameters = [...new Set(parametersOf(path))].map((name): JsonObject => {
    const identity = JSON.stringify(['path', name])
    const declared = byIdentity.get(identity)
    byIdentity.delete(identity)
    return declared ?? { name, in: 'path', required: true, schema: { type: 'string' } }
  })
  return [...pathParameters, ...byIdentity.values()]
}

function zip<T>(a: readonly T[], b: readonly T[]): [T, T][] {
  return a.map((value, index): [T, T] => [value, b[index] ?? value])
}
