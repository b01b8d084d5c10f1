/** Something with several owners, closed when the last of them has released it. */
export class Shared<T> {
  readonly value: T
  readonly #close: (value: T) => void | Promise<void>
  #owners = 1

  /** The caller is its first owner. */
  constructor(value: T, close: (value: T) => void | Promise<void>) {
    this.value = value
    this.#close = close
  }

  /** For one owner more. */
  share(): this {
    this.#owners++
    return this
  }

  /** Called once by each owner. */
  async release(): Promise<void> {
    if (--this.#owners === 0) await this.#close(this.value)
  }
}
