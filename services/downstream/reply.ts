import type { Prepared } from './prepared.ts'

/**
 * Bytes that may wait for a client before the upstream has to. Node says "behind" from 64 KiB on, which one read of the
 * upstream's socket fills: stopping and starting it for each of them cost a good part of a 100 KiB answer (npm run bench).
 */
export const MOST_WAITING_BYTES = 131_072

/**
 * One response to a client, whatever the protocol. The order of calls is `informational*`, then `head`, then `write*`,
 * then `end`; or `abort` at any time, which the client can never take for a complete answer.
 */
export interface Reply {
  /** `true` once the client has left, or the answer was broken off. */
  readonly gone: boolean
  /** `true` once the head is on its way; until then another answer can still be given. */
  readonly headSent: boolean
  /** Tell the client to close the connection after this answer (HTTP/1 only). */
  closing: boolean

  /** 100 Continue, when the client waits for it and has not had it. */
  continue(): void
  /** A 1xx other than 100 and 101. Dropped for clients that cannot take it (HTTP/1.0). */
  informational(status: number, fields: string[]): void
  /**
   * The head; it may be held back until the first byte of the body, at most for a turn of the event loop.
   *
   * @param fields end-to-end fields, names in lower case: name, value, name, value. No framing: that is written here
   * @param length bytes of the body, `null` where unknown
   */
  head(status: number, fields: string[], length: number | null): void
  /** @returns `false` when the client is behind: wait for `drained` */
  write(chunk: Uint8Array): boolean
  /** Calls back once when the client has caught up, or left. */
  drained(callback: () => void): void
  /** The end, with the last chunk where it is at hand. `trailers` as `fields`; dropped where the protocol has none. */
  end(chunk?: Uint8Array, trailers?: string[]): void
  /**
   * A whole answer at once, of which the head is made beforehand: what the hit lane sends. Instead of `head` and `end`.
   *
   * @param own further fields, such as Age: name, value, name, value
   */
  whole(prepared: Prepared, own: readonly string[]): void
  /** Calls back once when nothing more goes to the client: all has been handed over, or it has left. */
  closed(callback: () => void): void
  /** Breaks off: the connection (HTTP/1) or the stream (HTTP/2) is reset. */
  abort(): void
}
