/**
 * The key that has been in a map for the longest time: it makes room where the map is full. One iterator goes along with the
 * map; a new one for each key would go past all that was deleted since the map was last rehashed, which costs tens of
 * microseconds with a hundred thousand entries.
 *
 * For maps from which the one that was named is deleted before the next is asked for.
 */
export class Eldest<K> {
  readonly #map: ReadonlyMap<K, unknown>
  #keys: MapIterator<K>

  constructor(map: ReadonlyMap<K, unknown>) {
    this.#map = map
    this.#keys = map.keys()
  }

  /** @returns `undefined` for an empty map */
  next(): K | undefined {
    const next = this.#keys.next()
    if (next.done !== true) return next.value
    // It has come to the end once, and stays there.
    this.#keys = this.#map.keys()
    return this.#keys.next().value
  }
}
