import type { Entry } from '../store/entry.ts'

/** What has become of a handler that others wait for. */
export type FlightEnd =
  /** Its answer is stored, or it was given up: look again. */
  | 'again'
  /** Its answer is not for others: each runs its own. */
  | 'alone'
  /** It failed: what is stale may serve. */
  | 'failed'

/** What those who waited are left with. */
export interface Landing {
  how: FlightEnd
  /** What may answer them: it need not be in memory. */
  entry?: Entry | undefined
}

/** How long a request waits for another's handler before it runs its own. */
const LONGEST_WAIT_MS = 10_000

/** Handlers that run for more than their own client. None holds anybody up for longer than {@link LONGEST_WAIT_MS}. */
export class HandlerFlights {
  readonly #flights = new Map<string, PromiseWithResolvers<Landing>>()
  readonly #longestWaitMs: number

  constructor(longestWaitMs = LONGEST_WAIT_MS) {
    this.#longestWaitMs = longestWaitMs
  }

  get size(): number {
    return this.#flights.size
  }

  has(key: string): boolean {
    return this.#flights.has(key)
  }

  /** @returns what ends it; further calls do nothing */
  begin(key: string): (landing: Landing) => void {
    const flight = Promise.withResolvers<Landing>()
    this.#flights.set(key, flight)
    return (landing) => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key)
      flight.resolve(landing)
    }
  }

  async wait(key: string): Promise<Landing> {
    const flight = this.#flights.get(key)
    if (flight === undefined) return { how: 'again' }
    const late = Promise.withResolvers<Landing>()
    const timer = setTimeout(() => {
      // Nobody else shall wait for it either.
      if (this.#flights.get(key) === flight) this.#flights.delete(key)
      late.resolve({ how: 'alone' })
    }, this.#longestWaitMs)
    try {
      return await Promise.race([flight.promise, late.promise])
    } finally {
      clearTimeout(timer)
    }
  }
}
