import type { Dispatcher } from 'undici'
import type { Connection } from '../upstream/connection.ts'
import type { AttemptError, Phase } from '../upstream/outcome.ts'
import type { Outcome } from '../upstream/snapshot.ts'
import type { Target } from '../upstream/target.ts'

/**
 * One try of a request at one target: the place that it takes there, how far it has come, and what the target learns of its
 * end. Times are in milliseconds on the clock of `performance.now()`.
 */
export class Attempt {
  readonly target: Target
  /** It has a place at its target. */
  open = true
  phase: Phase = 'waiting'
  /** undici's hold on it, from when it has a connection until nothing that undici says of it counts any more. */
  controller: Dispatcher.DispatchController | undefined
  /** When it was sent; 0: not yet. */
  sentAt = 0
  /** It was sent once more, after a connection that had been closed. */
  resent = false
  /** A first byte of the answer has come. */
  answering = false
  /** The status of the answer; 0: its head has not come. */
  status = 0
  /** The close of the connection is what ends the answer's body. */
  closeDelimited = false
  /** The head says how long the body is that follows it. */
  sized = false
  /** Bytes of an answer that another attempt takes the place of; -1: what comes is for the client. */
  discarded = -1
  readonly #beganAt: number
  readonly #ticket: number
  #headMs = 0

  /** Takes a place at the target; {@link end} gives it back. */
  constructor(target: Target, beganAt: number) {
    this.target = target
    this.#beganAt = beganAt
    this.#ticket = target.acquire()
  }

  /** It is to be sent again over another connection. */
  resend(): void {
    this.phase = 'waiting'
    this.controller = undefined
    this.countResent()
  }

  countResent(): void {
    this.resent = true
    this.target.retries.stale++
  }

  /**
   * Whether what has failed is an idle connection that was about to be used. undici waits a turn of the event loop before it
   * writes on one (client-h1.js, scheduleIdleSocketValidation); where an end comes meanwhile it takes another itself, where a
   * reset comes it fails the request. The error comes before `disconnect` does.
   */
  isUnsent(connection: Connection | undefined): boolean {
    if (this.phase !== 'waiting' || connection === undefined || connection.http2) return false
    return connection.open && connection.answered > 0
  }

  /**
   * Whether its upstream has not seen a request whose connection was reset. One that had answered before was almost always
   * closed by the upstream while it was idle (RFC 9110 §9.2.2). A stream that alone is reset (HTTP/2) was seen; undici itself
   * repeats those that were refused (RFC 9113 §8.7).
   */
  isUnseen(connection: Connection | undefined): boolean {
    if (this.resent || this.answering || connection === undefined || connection.answered === 0) return false
    return !connection.http2 || connection.gone
  }

  /**
   * Whether an answer over HTTP/2 that has broken off lacks nothing: its stream was closed without an error and without
   * END_STREAM, behind as many bytes as its head has announced (fewer are another error of undici's). Servers on node:http2
   * that leave the request unread can end so; no trailers come that way.
   */
  isWhole({ code, http2ErrorCode }: AttemptError): boolean {
    if (!this.sized || this.phase !== 'receiving') return false
    return code === 'HR_UPSTREAM_TRUNCATED' && http2ErrorCode === undefined
  }

  /** The head of the answer has come. @returns how long that took since it was sent, in ms */
  answered(status: number, now: number): number {
    const { target } = this
    this.status = status
    this.#headMs = now - this.sentAt
    if (target.watcher !== null) target.watcher.answered(target, { status, ticket: this.#ticket })
    return this.#headMs
  }

  /** Nothing that undici says of it counts any more. @returns what still ends it, where it is not over */
  letGo(): Dispatcher.DispatchController | undefined {
    const { controller } = this
    this.controller = undefined
    this.discarded = -1
    return controller
  }

  /** It is over: its target learns how, and has room for another. */
  end(outcome: Outcome, code: string): void {
    const { target, status } = this
    this.open = false
    target.release()
    // Without a connection nothing was sent.
    const ms = outcome === 'response' ? this.#headMs : performance.now() - (this.sentAt || this.#beganAt)
    target.settle(outcome, code, ms)
    if (target.watcher !== null) target.watcher.attempted(target, { outcome, status, ms, ticket: this.#ticket })
  }
}
