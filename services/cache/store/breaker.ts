export interface BreakerOptions {
  /** Failures in a row until it opens. */
  failures: number
  /** Between opening and the first probe; doubled with each probe that fails, up to `longestMs`. */
  firstMs: number
  longestMs: number
  /** Finds out whether things work again. Rejects where they don't. */
  probe: () => Promise<void>
  /** Told of each opening and closing; also where it is open from the start, and that is more than a start. */
  changed?: (state: 'up' | 'away', reason: string | null) => void
}

/**
 * Keeps from asking what fails, and finds out in the background when it works again: no request waits for a probe.
 * Starts open, until it is probed.
 */
export class Breaker {
  readonly #options: BreakerOptions
  #state: 'up' | 'away' = 'away'
  #reason: string | null
  #isTold = false
  #failures = 0
  #probes = 0
  #probing = false
  /** A probe was asked for while one was under way. */
  #again = false
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: BreakerOptions, reason: string) {
    this.#options = options
    this.#reason = reason
  }

  get isUp(): boolean {
    return this.#state === 'up'
  }

  get reason(): string | null {
    return this.#reason
  }

  succeed(): void {
    this.#failures = 0
  }

  fail(reason: string): void {
    if (this.isUp && ++this.#failures >= this.#options.failures) this.open(reason)
  }

  /** Without counting: it is known to be away. */
  open(reason: string): void {
    if (this.#closed) return
    this.#reason = reason
    if (this.isUp) {
      this.#state = 'away'
      this.#probes = 0
      this.#schedule()
      this.#tell()
    } else if (!this.#isTold) this.#tell()
  }

  /** Probes now: there is reason to hope. */
  probe(): void {
    if (this.isUp || this.#closed) return
    if (this.#probing) this.#again = true
    else void this.#probe()
  }

  /** It is away from now on, and nobody is told. */
  close(): void {
    this.#closed = true
    this.#state = 'away'
    clearTimeout(this.#timer)
  }

  async #probe(): Promise<void> {
    clearTimeout(this.#timer)
    this.#probing = true
    this.#again = false
    try {
      await this.#options.probe()
      if (this.#closed) return
      this.#state = 'up'
      this.#reason = null
      this.#failures = 0
    } catch (error) {
      this.#reason = error instanceof Error ? error.message : String(error)
      this.#probes++
    } finally {
      this.#probing = false
    }
    // The first may have come too early.
    if (this.isUp || (!this.#isTold && this.#probes > 1)) this.#tell()
    if (this.isUp) return
    if (this.#again) void this.#probe()
    else this.#schedule()
  }

  #tell(): void {
    if (this.#closed) return
    this.#isTold = true
    this.#options.changed?.(this.#state, this.#reason)
  }

  #schedule(): void {
    if (this.#closed) return
    const { firstMs, longestMs } = this.#options
    const delay = Math.min(firstMs * 2 ** this.#probes, longestMs)
    this.#timer = setTimeout(() => void this.#probe(), delay).unref()
  }
}
