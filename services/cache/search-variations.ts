import { Eldest } from '../lifetime/eldest.ts'
import { fieldValue, type FieldList } from './rules/message.ts'
import { searchVariation, type SearchVariation } from './rules/no-vary-search.ts'

/** A {@link SearchVariation} and a text that is the same for all that mean the same: it goes into keys. */
export interface KnownVariation extends SearchVariation {
  text: string
}

/** What a response declares; `undefined` where the whole query matters. */
export function knownVariation(fields: FieldList): KnownVariation | undefined {
  if (fieldValue(fields, 'no-vary-search') === undefined) return undefined
  const variation = searchVariation(fields)
  if (variation === undefined) return undefined
  const { params, order } = variation
  return { ...variation, text: `${params.kind} ${JSON.stringify([...params.names].toSorted())} ${order}` }
}

/**
 * What responses said of the query (No-Vary-Search), by path: it has to be known before a request can be looked up by it.
 * Bounded: the oldest is forgotten first, which costs one request more to the origin.
 */
export class SearchVariations {
  readonly #known = new Map<string, KnownVariation>()
  readonly #eldest = new Eldest(this.#known)
  readonly #capacity: number

  constructor(capacity = 1024) {
    this.#capacity = capacity
  }

  /** Paths that something is known of. */
  get size(): number {
    return this.#known.size
  }

  get(path: string): KnownVariation | undefined {
    return this.#known.size === 0 ? undefined : this.#known.get(path)
  }

  learn(path: string, variation: KnownVariation): void {
    this.#known.delete(path)
    if (this.#known.size >= this.#capacity) this.#known.delete(this.#eldest.next() as string)
    this.#known.set(path, variation)
  }
}
