import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/**
 * A library that most processes never use, loaded when it is first asked for: it stays out of the start of all others. For
 * code that cannot wait; what can, imports it where it is used.
 *
 * @returns gives the library, the same at every call
 */
export function onDemand<Library>(name: string): () => Library {
  let library: Library | undefined
  return () => (library ??= require(name) as Library)
}
