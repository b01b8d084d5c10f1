import type { Deadline } from '../upstream/deadlines.ts'
import type { TimeoutOptions } from '../upstream/options.ts'
import type { Outcome } from '../upstream/snapshot.ts'

/**
 * What a call waits for, one thing after the other, and until when. Times are in milliseconds on the clock of
 * `performance.now()`; a timeout of 0 is none.
 */
export class CallDeadline implements Deadline {
  deadlineAt: number
  previous: Deadline | null = null
  next: Deadline | null = null
  /** What it means for the upstream when the time has passed. */
  due: Outcome = 'total_timeout'
  /** The client takes nothing: it, and not the upstream, is what is waited for. */
  clientBehind = false
  readonly totalAt: number
  readonly #call: { expire(): void }
  readonly #timeout: TimeoutOptions
  #idleMs = 0

  /** @param call is told when the time has passed */
  constructor(call: { expire(): void }, timeout: TimeoutOptions, arrivedAt: number) {
    this.#call = call
    this.#timeout = timeout
    this.totalAt = this.deadlineAt = arrivedAt + limit(timeout.totalMs)
  }

  expire(): void {
    this.#call.expire()
  }

  /** For something else than the upstream. */
  within(ms: number): void {
    this.deadlineAt = Math.min(performance.now() + ms, this.totalAt)
  }

  /** For a connection. */
  forConnection(): void {
    this.due = 'total_timeout'
    this.deadlineAt = this.totalAt
  }

  /** For the upstream to take more of the request's body: only standing still is an error while it goes on. */
  forRequestBody(): void {
    this.due = 'idle_timeout'
    this.deadlineAt = performance.now() + limit(this.#timeout.idleMs)
  }

  /**
   * For the head of the answer.
   *
   * @param now when the request was complete
   * @param since when `total` begins: the time that a client takes to send its body is its own
   */
  forHead(now: number, since: number): void {
    const firstByteAt = now + limit(this.#timeout.firstByteMs)
    const totalAt = since + limit(this.#timeout.totalMs)
    this.due = firstByteAt <= totalAt ? 'first_byte_timeout' : 'total_timeout'
    this.deadlineAt = Math.min(firstByteAt, totalAt)
  }

  /** For the first piece of the answer's body, and each one after it. */
  forBody(now: number, idleMs: number): void {
    this.due = 'idle_timeout'
    this.#idleMs = limit(idleMs)
    this.deadlineAt = now + this.#idleMs
  }

  /** A piece of the answer's body has come. */
  bodyMoved(): void {
    this.deadlineAt = performance.now() + this.#idleMs
  }

  /**
   * For the client to take what it has been sent. While it is behind, the upstream waits for it: that is not the upstream
   * standing still. Without an end to that, a client that never reads would keep a connection to the upstream for ever.
   */
  forClient(ms: number): void {
    this.clientBehind = true
    this.deadlineAt = performance.now() + limit(ms)
  }

  clientCaughtUp(): void {
    this.clientBehind = false
    this.bodyMoved()
  }
}

function limit(ms: number): number {
  return ms || Number.POSITIVE_INFINITY
}
