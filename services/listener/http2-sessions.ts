import { constants, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import { createHttp2Counters, type Http2Counters } from './counters.ts'
import { FloodError } from './errors.ts'
import type { LimitsOptions } from './options.ts'

const SESSION = Symbol('headrace.session')
const CONTROL_WINDOW_MS = 1_000
/** The id that a shutdown notice names: streams are still taken (RFC 9113 §6.8). */
const EVERY_STREAM = 2 ** 31 - 1

/** One HTTP/2 connection. */
export interface Http2SessionState {
  readonly session: ServerHttp2Session
  /** In flight, in no order. No Set: its tables, once old, would keep streams that are over until a full collection. */
  readonly streams: ServerHttp2Stream[]
  /** Has had a stream; one that waits for its first is told to go away last. */
  served: boolean
  /** Milliseconds on the clock when its last stream was over, or it began. */
  idleSince: number
  /** The client's SETTINGS have arrived. */
  ready: boolean
  leaving: boolean
  /** PING and SETTINGS frames since `controlSince`. */
  controlFrames: number
  controlSince: number
  /** Streams that the client may still reset, and when that was worked out. */
  resetsLeft: number
  resetsAt: number
  /** Streams whose request body has not ended. */
  readonly bodies: Set<ServerHttp2Stream>
}

type Carrier = ServerHttp2Stream & { [SESSION]?: Http2SessionState }

export interface Http2SessionsOptions {
  limits: Pick<LimitsOptions, 'idleTimeoutMs' | 'headerTimeoutMs' | 'http2'>
  /** Milliseconds that only grow. */
  now?: () => number
}

/**
 * The limits of HTTP/2 sessions that Node and nghttp2 leave to us, and what is counted of them:
 *
 * - more than `pingsPerSecond` PING and SETTINGS frames: GOAWAY with ENHANCE_YOUR_CALM
 * - more stream resets than `resetBurst` at once and `resetRate` a second (CVE-2023-44487): the same. nghttp2 has these
 *   limits too, but Node lets it go on to the end of a read: 800 requests, each of which had gone to its upstream
 * - a client that never sends its SETTINGS: ended after `headerTimeout`
 * - a session without streams for `idleTimeout`: GOAWAY; never one with a stream in flight, however quiet
 * - errors of sessions and streams end these and nothing else: Node throws what nobody listens to
 * - an upload whose answer is complete: RST_STREAM with NO_ERROR
 */
export class Http2Sessions {
  readonly counters: Http2Counters = createHttp2Counters()
  readonly #limits: Http2SessionsOptions['limits']
  readonly #now: () => number
  readonly #open = new Set<Http2SessionState>()

  constructor(options: Http2SessionsOptions) {
    this.#limits = options.limits
    this.#now = options.now ?? (() => performance.now())
  }

  /** Those open now. */
  [Symbol.iterator](): IterableIterator<Http2SessionState> {
    return this.#open.values()
  }

  /** Takes a session when the server emits it, before its first stream. */
  open(session: ServerHttp2Session): Http2SessionState {
    const now = this.#now()
    const state: Http2SessionState = {
      session,
      streams: [],
      served: false,
      idleSince: now,
      ready: false,
      leaving: false,
      controlFrames: 0,
      controlSince: now,
      resetsLeft: this.#limits.http2.resetBurst,
      resetsAt: now,
      bodies: new Set(),
    }
    this.#open.add(state)
    this.counters.sessions++
    this.counters.open++
    session.setLocalWindowSize(this.#limits.http2.connectionWindowBytes)
    // Before the server's own listener: the handlers find the stream counted and its errors heard.
    session.prependListener('stream', (stream, headers) => this.#onStream(state, stream, headers))
    session.on('ping', () => this.#onControlFrame(state))
    session.on('remoteSettings', () => {
      // From here on `check` looks after it: a timer of Node's is moved with each frame, 1 µs of a hit's 22.
      if (!state.ready) session.setTimeout(0)
      state.ready = true
      this.#onControlFrame(state)
    })
    session.on('error', () => this.counters.errors++)
    session.on('close', () => {
      this.#open.delete(state)
      this.counters.open--
    })
    // Sends GOAWAY and closes; `close()` would wait for the client to close too, for ever.
    session.setTimeout(this.#limits.headerTimeoutMs, () => session.destroy())
    return state
  }

  /**
   * Ends uploads whose answers were slow to leave (those of others have ended with them), and sessions that nobody uses.
   * Call it about once a second.
   */
  check(): void {
    const now = this.#now()
    for (const state of this.#open) {
      for (const stream of state.bodies) stopUpload(stream)
      if (this.#isIdle(state, now)) {
        this.counters.goaways.idle++
        state.session.destroy()
      }
    }
  }

  /** The session of a stream that came in by one of those opened here. */
  stateOf(stream: ServerHttp2Stream): Http2SessionState | undefined {
    return (stream as Carrier)[SESSION]
  }

  /**
   * Ends a session without losing a stream (RFC 9113 §6.8). With streams in flight: a shutdown notice, and the final
   * GOAWAY once they are over, at the earliest after a round trip, when all that the client began before it heard has
   * arrived. Without any, the final GOAWAY at once (nghttp2 reads nothing more after either), so the caller chooses a
   * moment when the client is not about to begin one.
   */
  goAway(state: Http2SessionState): void {
    const { session } = state
    if (state.leaving || session.destroyed) return
    state.leaving = true
    this.counters.goaways.drain++
    if (state.streams.length === 0) {
      session.close()
      return
    }
    session.goaway(constants.NGHTTP2_NO_ERROR, EVERY_STREAM)
    session.ping((error) => {
      if (error === null && !session.destroyed) session.close()
    })
  }

  #onStream(state: Http2SessionState, stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    state.served = true
    this.counters.streams++
    ;(stream as Carrier)[SESSION] = state
    stream.on('error', ignoreStreamError)
    // Node emits a stream a tick late: one that was reset at once arrives dead and closes no more, but its error may
    // still be to come.
    if (stream.destroyed) {
      this.counters.resets++
      this.#onReset(state)
      return
    }
    state.streams.push(stream)
    // What a tunnel carries is no body, and may be as slow as it likes.
    if (!stream.endAfterHeaders && headers[':protocol'] === undefined) {
      state.bodies.add(stream)
      stream.once('finish', onAnswered)
    }
    stream.on('close', this.#onStreamClose)
    stream.on('aborted', this.#onAborted)
  }

  /** Comes as soon as a reset is read, while 'close' may wait for others; not where the answer is written already. */
  readonly #onAborted = ((sessions: Http2Sessions) =>
    function onAborted(this: Carrier): void {
      const state = this[SESSION]
      // That one is the gateway's own, of an answer that broke off.
      if (state !== undefined && this.rstCode !== constants.NGHTTP2_INTERNAL_ERROR) sessions.#onReset(state)
    })(this)

  /** Shared by all streams (`this` is the stream), so that a request costs no closure. */
  readonly #onStreamClose = ((sessions: Http2Sessions) =>
    function onStreamClose(this: Carrier): void {
      const state = this[SESSION]
      if (state === undefined) return
      remove(state.streams, this)
      state.bodies.delete(this)
      if (state.streams.length === 0) state.idleSince = sessions.#now()
      if (this.rstCode !== constants.NGHTTP2_NO_ERROR) sessions.counters.resets++
      if (state.leaving && state.streams.length === 0 && !state.session.destroyed) state.session.close()
    })(this)

  #onReset(state: Http2SessionState): void {
    const { resetBurst, resetRate } = this.#limits.http2
    const now = this.#now()
    state.resetsLeft = Math.min(resetBurst, state.resetsLeft + ((now - state.resetsAt) / 1_000) * resetRate) - 1
    state.resetsAt = now
    if (state.resetsLeft < 0) this.#flooded(state)
  }

  #flooded({ session }: Http2SessionState): void {
    if (session.destroyed) return
    this.counters.goaways.flood++
    session.destroy(new FloodError(), constants.NGHTTP2_ENHANCE_YOUR_CALM)
  }

  #onControlFrame(state: Http2SessionState): void {
    const now = this.#now()
    if (now - state.controlSince >= CONTROL_WINDOW_MS) {
      state.controlSince = now
      state.controlFrames = 0
    }
    if (++state.controlFrames > this.#limits.http2.pingsPerSecond) this.#flooded(state)
  }

  #isIdle({ ready, streams, idleSince }: Http2SessionState, now: number): boolean {
    const { idleTimeoutMs } = this.#limits
    return idleTimeoutMs > 0 && ready && streams.length === 0 && now - idleSince >= idleTimeoutMs
  }
}

function remove<T>(from: T[], one: T): void {
  const index = from.indexOf(one)
  if (index === -1) return
  const last = from.pop() as T
  if (last !== one) from[index] = last
}

function onAnswered(this: ServerHttp2Stream): void {
  // One turn of the event loop sends the last piece, another the trailers behind it.
  setImmediate(() => setImmediate(stopUpload, this))
}

/**
 * RFC 9113 §8.1: a client that has the whole answer and still sends is told to stop, without an error; else it would send
 * to the end what is thrown away. A reset overtakes what waits to be sent, so the answer has to be out.
 */
function stopUpload(stream: ServerHttp2Stream): void {
  if (stream.destroyed || stream.closed || !stream.writableFinished) return
  const { localClose, remoteClose } = stream.state
  if (localClose === 1 && remoteClose === 0) stream.close(constants.NGHTTP2_NO_ERROR)
}

function ignoreStreamError(): void {
  // The stream is reset and closed, which its owner sees; without a listener Node would end the process.
}
