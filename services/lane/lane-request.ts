import type { Reply } from '../downstream/reply.ts'
import type { WarmTarget } from '../cache/warm-target.ts'
import { CacheWarmTargetError } from '../cache/errors.ts'
import type { Lane } from './lane.ts'

/** A reply that nobody reads: it is there to be stored on its way. */
class UnreadReply implements Reply {
  closing = false
  gone = false
  status = 0
  readonly #over: (status: number | undefined) => void

  constructor(over: (status: number | undefined) => void) {
    this.#over = over
  }

  get headSent(): boolean {
    return this.status !== 0
  }

  continue(): void {}

  informational(): void {}

  head(status: number): void {
    this.status = status
  }

  write(): boolean {
    return true
  }

  drained(callback: () => void): void {
    callback()
  }

  end(): void {
    this.#over(this.status)
  }

  whole({ told: { status } }: Parameters<Reply['whole']>[0]): void {
    this.status = status
    this.#over(status)
  }

  /** Nobody is there to leave. */
  closed(): void {}

  abort(): void {
    this.gone = true
    this.#over(undefined)
  }
}

/**
 * Asks for a URL as a client would, without a connection: through admission, the route and the cache, which stores what
 * it may. Whatever stands before the lane (listeners, hooks of the application) has no part in it.
 *
 * @param base what a path alone is asked at: `http://localhost:3000`
 * @returns the status, once the answer has come whole
 * @throws CacheWarmTargetError; Error where no route of the gateway takes it, or the answer breaks off
 */
export function requestOfLane(
  lane: Lane,
  target: WarmTarget,
  { base, signal }: { base: string; signal: AbortSignal },
): Promise<number> {
  const url = URL.canParse(target.url, base) ? new URL(target.url, base) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '') {
    return Promise.reject(new CacheWarmTargetError(target.url))
  }
  return new Promise((resolve, reject) => {
    const reply = new UnreadReply((status) => {
      if (status === undefined) reject(new Error('the answer broke off'))
      else resolve(status)
    })
    const fields = Object.entries(target.headers).flat()
    const exchange = lane.get(url, fields, reply)
    if (exchange === undefined) {
      reject(new Error('no route of the gateway takes it'))
      return
    }
    signal.addEventListener('abort', () => {
      reply.gone = true
      exchange.work?.cancel()
    })
  })
}
