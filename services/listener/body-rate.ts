import type { Readable } from 'node:stream'

/** Over how long a rate is measured: long enough for a phone in a tunnel. */
export const RATE_WINDOW_MS = 10_000

interface Progress {
  bytes: number
  since: number
  stop: () => void
}

export interface BodyRateOptions {
  /** 0 switches the check off. */
  minBytesPerSecond: number
  windowMs?: number
}

/**
 * Finds request bodies that come too slowly (slow POST, RUDY), without a timer or a listener a request: one coarse tick
 * looks at the bodies in flight, and counts the bytes only of those that it meets. A body that nobody reads (an upstream
 * that is behind, an Expect that is not answered yet) is not the client's fault, and starts afresh.
 */
export class BodyRate {
  readonly #least: number
  readonly #windowMs: number
  #watched = new Map<Readable, Progress>()

  constructor(options: BodyRateOptions) {
    this.#windowMs = options.windowMs ?? RATE_WINDOW_MS
    this.#least = (options.minBytesPerSecond * this.#windowMs) / 1_000
  }

  /**
   * @param bodies those that have not ended
   * @param now milliseconds that only grow
   * @returns those that fell below the rate over a whole window; each is returned once
   */
  tick(bodies: Iterable<Readable>, now: number): Readable[] {
    const slow: Readable[] = []
    if (this.#least === 0) return slow
    const still = new Map<Readable, Progress>()
    for (const body of bodies) {
      const progress = this.#watched.get(body)
      this.#watched.delete(body)
      if (body.destroyed || body.readableEnded || body.readableFlowing !== true) progress?.stop()
      else if (progress === undefined) still.set(body, count(body, now))
      else if (now - progress.since < this.#windowMs) still.set(body, progress)
      else if (progress.bytes < this.#least) {
        progress.stop()
        slow.push(body)
      } else {
        progress.bytes = 0
        progress.since = now
        still.set(body, progress)
      }
    }
    for (const gone of this.#watched.values()) gone.stop()
    this.#watched = still
    return slow
  }
}

function count(body: Readable, now: number): Progress {
  const onData = (chunk: Buffer | string): void => {
    progress.bytes += chunk.length
  }
  const progress: Progress = { bytes: 0, since: now, stop: () => body.off('data', onData) }
  body.on('data', onData)
  return progress
}
