import type { Pointer } from './references.ts'
import type { ComponentKind } from './structure.ts'

/**
 * `Vehicle`, or for what is no component in its own document, a name made of where it stands:
 * `vehicles.get.responses.200`.
 */
export function componentName(kind: ComponentKind, pointer: Pointer): string {
  if (pointer.length === 3 && pointer[0] === 'components' && pointer[1] === kind) return componentKey(pointer[2] ?? '')
  const tokens = pointer.filter((token) => token !== 'components' && token !== 'paths' && token !== kind)
  return componentKey(
    tokens
      .join('.')
      .replaceAll(/[^A-Za-z0-9._-]+/g, ' ')
      .trim()
      .replaceAll(/ ?\. ?/g, '.'),
  )
}

/** The text as a key that `components` takes: `^[a-zA-Z0-9._-]+$` (OpenAPI 3.1, §4.8.7). */
export function componentKey(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9._-]+/g, '_').slice(0, 128) || '_'
}

/** The name, or the name with a number that makes it new. Takes a bounded number of steps for any number of namesakes. */
export function freeName(name: string, taken: { has(name: string): boolean; readonly size: number }): string {
  if (!taken.has(name)) return name
  for (let n = 2; n < 10; n++) if (!taken.has(`${name}_${n}`)) return `${name}_${n}`
  let n = taken.size
  while (taken.has(`${name}_${n}`)) n++
  return `${name}_${n}`
}

/** A name used by one source keeps it; where several use it, the gateway's keeps it and each upstream's gets a prefix. */
export class SharedNames {
  readonly #users = new Map<string, Set<string | null>>()
  readonly #settled = new Map<string, string>()
  readonly #prefixed: (source: string, name: string) => string

  /** @param prefixed how a name is written where it has to say whose it is */
  constructor(prefixed: (source: string, name: string) => string) {
    this.#prefixed = prefixed
  }

  /** @param source name of the upstream; `null` for the gateway */
  use(source: string | null, name: string): void {
    const users = this.#users.get(name)
    if (users === undefined) this.#users.set(name, new Set([source]))
    else users.add(source)
  }

  /** The name in the merged document; the same for the same question. Ask only once all uses are known. */
  settle(source: string | null, name: string): string {
    const key = JSON.stringify([source, name])
    const known = this.#settled.get(key)
    if (known !== undefined) return known
    const isShared = (this.#users.get(name)?.size ?? 0) > 1
    const wanted = source === null || !isShared ? name : this.#prefixed(source, name)
    const settled = wanted === name ? name : freeName(wanted, this.#users)
    if (settled !== name) this.#users.set(settled, new Set([source]))
    this.#settled.set(key, settled)
    return settled
  }
}
