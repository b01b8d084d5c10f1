import type { CacheDiskParcel, CacheDiskWrite } from '../../../workers/protocol.ts'
import type { StoredResponse } from '../stored.ts'
import { encode } from './codec.ts'
import { isStorableKey, pack } from './disk-messages.ts'
import { urlOf } from './selector.ts'

const MAX_QUEUED = 8_192
const MAX_QUEUED_BYTES = 32 * 1024 * 1024
/** Of the whole: what is larger would evict too much. */
const MAX_SHARE = 1 / 8

/** Responses on their way to the thread, bounded by count and by bytes until it says that they are written. */
export class DiskWrites {
  readonly #largest: number
  /** Of this turn of the event loop. */
  #next: { write: CacheDiskWrite; value: Uint8Array }[] = []
  #bytes = 0
  queued = 0
  writes = 0
  dropped = 0

  /** @param maxBytes what may be stored altogether */
  constructor(maxBytes: number) {
    this.#largest = maxBytes * MAX_SHARE
  }

  /** @returns whether there is something to send; what cannot be taken is dropped */
  add(key: string, stored: StoredResponse, usableUntil: number): boolean {
    const value = isStorableKey(key) ? encoded(stored) : undefined
    if (value === undefined || !this.#hasRoom(value.length)) {
      this.dropped++
      return false
    }
    this.queued++
    this.#bytes += value.length
    const { tags, requestedAt, vary } = stored
    const variant = vary.join('\n')
    const write = { key, url: urlOf(key), variant, tags, requestedAt, usableUntil, bytes: value.length }
    this.#next.push({ write, value })
    return true
  }

  /** What has been added, to be sent now. */
  take(): { writes: CacheDiskWrite[]; parcel: CacheDiskParcel; transfer: ArrayBuffer[] } | undefined {
    if (this.#next.length === 0) return undefined
    const { parcel, transfer } = pack(this.#next.map(({ value }) => value))
    const writes = this.#next.map(({ write }) => write)
    this.#next = []
    return { writes, parcel, transfer }
  }

  written({ count, bytes, refused }: { count: number; bytes: number; refused: number }): void {
    this.queued -= count
    this.#bytes -= bytes
    this.writes += count - refused
    this.dropped += refused
  }

  /** What is queued will never be written. */
  lost(): void {
    this.dropped += this.queued
    this.queued = this.#bytes = 0
    this.#next = []
  }

  #hasRoom(bytes: number): boolean {
    return bytes <= this.#largest && this.queued < MAX_QUEUED && this.#bytes + bytes <= MAX_QUEUED_BYTES
  }
}

/** `undefined` for what could not be read back. */
function encoded(stored: StoredResponse): Uint8Array | undefined {
  try {
    return encode(stored)
  } catch {
    return undefined
  }
}
