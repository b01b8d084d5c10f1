import type { Duplex } from 'node:stream'
import { breakOff } from '../http/reset.ts'
import { closeFrame, type CloseCode } from './close-frame.ts'
import type { Ending } from './counters.ts'
import { FrameReader, type Side, type Violation } from './frame-reader.ts'

export interface TunnelOptions {
  client: Duplex
  upstream: Duplex
  maxMessageBytes: number
  extended: boolean
  /** On the clock of `performance.now()`. */
  now: () => number
  /** Called once, when both ends are over. */
  ended: (how: Ending) => void
}

/** How long the other end has to answer a Close, and to take what was written to it. */
const FAREWELL_MS = 2_000

/** One direction: from whom, to whom, and what has gone by. */
interface Way {
  from: Duplex
  to: Duplex
  reader: FrameReader
}

/**
 * A WebSocket connection that goes through: bytes are passed on as they come, with backpressure, and the frames that they are
 * made of are followed (frame-reader.ts). An end of the connection is passed on as the end that it is.
 */
export class Tunnel {
  /** When anything has come last. */
  activeAt: number
  readonly #options: TunnelOptions
  readonly #fromClient: Way
  readonly #fromUpstream: Way
  #how: Ending | null = null
  #open = 2
  /** This end has said its last word. */
  #silent = false
  #timer: NodeJS.Timeout | undefined

  /** @param heads what has come already: behind the handshake, and behind the answer to it */
  constructor(options: TunnelOptions, heads: { client: Buffer; upstream: Buffer }) {
    this.#options = options
    const { client, upstream } = options
    this.activeAt = options.now()
    this.#fromClient = { from: client, to: upstream, reader: this.#reader('client') }
    this.#fromUpstream = { from: upstream, to: client, reader: this.#reader('server') }
    this.#start(this.#fromClient, 'client')
    this.#start(this.#fromUpstream, 'upstream')
    if (heads.client.length > 0) this.#onData(this.#fromClient, heads.client)
    if (heads.upstream.length > 0) this.#onData(this.#fromUpstream, heads.upstream)
    // A client may have ended its side while it waited for its answer.
    if (client.readableEnded) this.#onEnd(this.#fromClient, 'client')
  }

  /** Ends it from here: both are told why where that can be said, and have a moment to take it. */
  leave(how: Ending, code: CloseCode): void {
    if (this.#how !== null) {
      // It is ending already, and somebody takes long to take what was said.
      this.#limit()
      return
    }
    this.#how = how
    this.#farewell(code, code)
  }

  /** Ends it at once. */
  cut(how: Ending): void {
    this.#how ??= how
    breakOff(this.#options.client)
    breakOff(this.#options.upstream)
  }

  #reader(from: Side): FrameReader {
    const { maxMessageBytes, extended } = this.#options
    return new FrameReader({ from, maxMessageBytes, extended })
  }

  #start(way: Way, side: 'client' | 'upstream'): void {
    const { from } = way
    from.on('data', (chunk: Buffer) => this.#onData(way, chunk))
    from.on('end', () => this.#onEnd(way, side))
    from.on('error', () => from.destroy())
    from.on('close', () => this.#onClose(way, side))
    from.resume()
  }

  #onEnd(way: Way, side: 'client' | 'upstream'): void {
    this.#how ??= side
    way.to.end()
    // Half of a connection is none: the other end may say a last word.
    this.#limitBehind(way.to)
  }

  #onData(way: Way, chunk: Buffer): void {
    this.activeAt = this.#options.now()
    // What comes behind the last word of this end is nobody's.
    if (this.#silent) return
    const { pass, violation } = way.reader.read(chunk)
    const { from, to } = way
    if (pass.length > 0 && !to.writableEnded && !to.write(pass)) {
      from.pause()
      to.once('drain', () => from.resume())
    }
    if (violation !== null) this.#fault(way, violation)
  }

  /** Who has broken the protocol is told so; the other, that this end goes away. */
  #fault(way: Way, violation: Violation): void {
    this.#how = violation === 1009 ? 'too_large' : 'protocol'
    if (way === this.#fromClient) this.#farewell(violation, 1001)
    else this.#farewell(1001, violation)
  }

  #farewell(toClient: CloseCode, toUpstream: CloseCode): void {
    this.#silent = true
    this.#limit()
    say(this.#fromUpstream, closeFrame(toClient, 'server'))
    say(this.#fromClient, closeFrame(toUpstream, 'client'))
    // Still read, and thrown away: else what has come and is not read would reset what was said.
    this.#options.client.resume()
    this.#options.upstream.resume()
  }

  /** The limit begins when all has left that was said to this end: a slow reader gets the last message too. */
  #limitBehind(to: Duplex): void {
    if (to.writableFinished || to.destroyed) this.#limit()
    else to.once('finish', () => this.#limit())
  }

  /** From here on it is a matter of moments. */
  #limit(): void {
    this.#timer ??= setTimeout(() => this.cut('cut'), FAREWELL_MS)
  }

  #onClose(way: Way, side: 'client' | 'upstream'): void {
    this.#how ??= side
    this.#open--
    const { to } = way
    if (this.#open > 0) {
      // What ended without an end (a reset) is passed on as one; else what was written may still be on its way.
      if (!way.from.readableEnded && !this.#silent) breakOff(to)
      else if (!to.writableEnded) to.end()
      this.#limitBehind(to)
      return
    }
    clearTimeout(this.#timer)
    this.#options.ended(this.#how)
  }
}

/** A Close frame stands between two frames, or nowhere: then the end of the connection has to say it. */
function say({ to, reader }: Way, close: Buffer): void {
  if (to.writableEnded || to.destroyed) return
  if (reader.between && !reader.closed) to.end(close)
  else to.end()
}
