/** Which side the frames come from: a client masks them, a server does not (RFC 6455 §5.1). */
export type Side = 'client' | 'server'

/** Why a connection has to end, as its close code (RFC 6455 §7.4.1). */
export type Violation = 1002 | 1009

export interface FrameReaderOptions {
  from: Side
  maxMessageBytes: number
  /** An extension is in use, which may give meaning to the reserved bits. */
  extended: boolean
}

const CONTINUATION = 0
const TEXT = 1
const BINARY = 2
const CLOSE = 8
const PING = 9
const PONG = 10
const LONGEST_CONTROL = 125
/** The length stands in the next two bytes, or eight. */
const TWO_BYTES = 126
const EIGHT_BYTES = 127
/** 2⁵³: a length that no number holds is too large in any case. */
const HIGH_LIMIT = 0x200000

/** What may be passed on of a chunk, and what was found behind it. */
export interface Read {
  /** The chunk, less a head that is not complete yet; whole heads only, each checked. */
  pass: Buffer
  violation: Violation | null
}

/**
 * Follows the frames of one direction (RFC 6455 §5.2) as they go by: their heads are checked, their payloads are not looked at.
 * A head goes on when it has come whole, so that what has been passed on ends within a payload or between two frames, and at
 * a fault always between two.
 */
export class FrameReader {
  /** The Close frame has gone by: nothing follows. */
  closed = false
  readonly #from: Side
  readonly #maxMessageBytes: number
  readonly #extended: boolean
  /** The beginning of a head, 13 bytes at most. */
  #held: Buffer | null = null
  /** Bytes of the present payload still to come. */
  #payload = 0
  /** Bytes of the present message, in the frames so far; -1: no message has begun. */
  #message = -1

  constructor({ from, maxMessageBytes, extended }: FrameReaderOptions) {
    this.#from = from
    this.#maxMessageBytes = maxMessageBytes
    this.#extended = extended
  }

  /** A frame may be put in here. */
  get between(): boolean {
    return this.#payload === 0
  }

  read(given: Buffer): Read {
    const chunk = this.#held === null ? given : Buffer.concat([this.#held, given])
    this.#held = null
    let at = Math.min(this.#payload, chunk.length)
    this.#payload -= at
    while (at < chunk.length) {
      const size = headSize(chunk, at)
      if (size === 0 || chunk.length - at < size) {
        this.#held = Buffer.from(chunk.subarray(at))
        break
      }
      const violation = this.#begin(chunk, at)
      if (violation !== null) return { pass: chunk.subarray(0, at), violation }
      const taken = Math.min(this.#payload, chunk.length - at - size)
      this.#payload -= taken
      at += size + taken
    }
    return { pass: chunk.subarray(0, at), violation: null }
  }

  /** Takes a head that is there whole. */
  #begin(chunk: Buffer, at: number): Violation | null {
    const first = chunk[at] as number
    const second = chunk[at + 1] as number
    const isFinal = (first & 0x80) !== 0
    const opcode = first & 0x0f
    if (this.closed || ((first & 0x70) !== 0 && !this.#extended)) return 1002
    if (((second & 0x80) !== 0) !== (this.#from === 'client')) return 1002
    const length = lengthOf(chunk, at)
    if (length === null) return 1002
    switch (opcode) {
      case CLOSE:
      case PING:
      case PONG:
        if (!isFinal || length > LONGEST_CONTROL || (opcode === CLOSE && length === 1)) return 1002
        this.closed = opcode === CLOSE
        break
      case TEXT:
      case BINARY:
      case CONTINUATION: {
        // RFC 6455 §5.4: a message is one frame that begins it and its continuations.
        if ((opcode === CONTINUATION) !== this.#message >= 0) return 1002
        const message = Math.max(this.#message, 0) + length
        if (message > this.#maxMessageBytes) return 1009
        this.#message = isFinal ? -1 : message
        break
      }
      default:
        return 1002
    }
    this.#payload = length
    return null
  }
}

/** How many bytes a head has; 0 where too few are there to say. */
function headSize(chunk: Buffer, at: number): number {
  const second = chunk[at + 1]
  if (second === undefined) return 0
  const length = second & 0x7f
  const extended = length === TWO_BYTES ? 2 : length === EIGHT_BYTES ? 8 : 0
  return 2 + extended + ((second & 0x80) === 0 ? 0 : 4)
}

/** `null` where it is not written in the fewest bytes, as it must be, or has its highest bit set. */
function lengthOf(chunk: Buffer, at: number): number | null {
  const length = (chunk[at + 1] as number) & 0x7f
  if (length < TWO_BYTES) return length
  if (length === TWO_BYTES) {
    const written = chunk.readUInt16BE(at + 2)
    return written < TWO_BYTES ? null : written
  }
  const high = chunk.readUInt32BE(at + 2)
  const low = chunk.readUInt32BE(at + 6)
  if (high >= 0x80000000 || (high === 0 && low < 0x10000)) return null
  return high >= HIGH_LIMIT ? Number.MAX_SAFE_INTEGER : high * 0x100000000 + low
}
