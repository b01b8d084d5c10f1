/**
 * Several values under one name, in the order added. Most names have one value, and a set of its own would cost more
 * than what it indexes: a set is made at the second.
 */
export class MultiIndex<Value extends object> {
  readonly #values = new Map<string, Value | Set<Value>>()

  /** Names. */
  get size(): number {
    return this.#values.size
  }

  add(name: string, value: Value): void {
    const known = this.#values.get(name)
    if (known === undefined) this.#values.set(name, value)
    else if (known instanceof Set) known.add(value)
    else if (known !== value) this.#values.set(name, new Set([known, value]))
  }

  delete(name: string, value: Value): void {
    const known = this.#values.get(name)
    if (known === value) this.#values.delete(name)
    else if (known instanceof Set) {
      known.delete(value)
      if (known.size === 0) this.#values.delete(name)
    }
  }

  /** A copy: what goes through it may change the index. */
  get(name: string): Value[] {
    const known = this.#values.get(name)
    if (known === undefined) return []
    return known instanceof Set ? [...known] : [known]
  }

  /** Values of all names that fit: looks at every name. */
  matching(fits: (name: string) => boolean): Value[] {
    const found: Value[] = []
    for (const [name, known] of this.#values) {
      if (!fits(name)) continue
      if (known instanceof Set) for (const value of known) found.push(value)
      else found.push(known)
    }
    return found
  }

  clear(): void {
    this.#values.clear()
  }
}
