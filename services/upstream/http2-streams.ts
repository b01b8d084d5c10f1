import { channel } from 'node:diagnostics_channel'
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import { addAbortSignal, type Readable } from 'node:stream'
import { ResetError, TruncatedError } from './errors.ts'

/** Node's channels of its HTTP/2 client, which undici uses. They concern every such client of the process. */
const CREATED = channel('http2.client.stream.created')
const CLOSED = channel('http2.client.stream.close')
/** What a session's `socket` is asked for: it is a proxy, so that the sockets themselves cannot be compared. */
const WATCHED = Symbol('watched')
/** A signal that has been given: what is added to it is destroyed at once. */
const ABANDONED = AbortSignal.abort()

interface WatchedSocket extends Socket {
  [WATCHED]?: { by: Http2Streams; upstream: string }
}

/** The part of Node's stream that says whether an end was put behind what there is to read. */
interface Internals {
  _readableState: { ended: boolean }
}

/**
 * Mends four things in how Node's HTTP/2 streams end under undici, from outside of both.
 *
 * - A response that is broken off is no complete one. Node ends a stream that closes without an error of its own (reset
 *   with NO_ERROR or CANCEL, or of a session that goes away in peace), and undici takes that for the response's end.
 *   Here END_STREAM alone is one (RFC 9113 §8.1): a stream that closes without it fails with HR_UPSTREAM_TRUNCATED,
 *   behind the bytes that have come. Whoever knows how many there should be may think better of it (Attempt.isWhole).
 * - A response is whole to its last byte. undici lets go of the data once trailers have come, or once the upstream has reset
 *   a request whose body it did not want to the end (NO_ERROR, RFC 9113 §8.1), though some of it may still wait to be read,
 *   for a client that is slower than its upstream: it was lost, and the response looked complete.
 * - A request that is given up is reset, and never completed. undici closes the stream, and Node's `close` first ends what
 *   was being written, with END_STREAM; or sends nothing at all where a pipe feeds the stream, and leaves it open at the
 *   upstream. Here it is reset with CANCEL (RFC 9113 §8.7), at once.
 * - A connection that has died without a word does not keep its requests for ever: only a stream of it is reset when one
 *   is late, and the next would go the same way. So what is given up is followed by a PING; without an answer in time the
 *   connection is closed, and the next request opens another.
 *
 * Costs HTTP/1 nothing: the channels are those of Node's HTTP/2 client, and listened to from the first connection on.
 */
export class Http2Streams {
  /** Streams of watched connections, and whose they are. */
  readonly #upstreams = new WeakMap<ClientHttp2Stream, string>()
  /** Sessions that a PING is under way on. */
  readonly #pinged = new WeakSet<ClientHttp2Session>()
  readonly #pingLimitMs: number
  /** Nothing is listened to before there is something to watch. */
  #listens = false
  #closed = false

  /** @param options.pingLimitMs milliseconds that an upstream may take to answer a PING */
  constructor({ pingLimitMs }: { pingLimitMs: number }) {
    this.#pingLimitMs = pingLimitMs
  }

  /** Watches the streams of a session over this connection. To be called before there is one. */
  watch(socket: Socket, upstream: string): void {
    const watched: WatchedSocket = socket
    watched[WATCHED] = { by: this, upstream }
    if (this.#listens || this.#closed) return
    this.#listens = true
    CREATED.subscribe(this.#streamCreated)
    CLOSED.subscribe(this.#streamClosed)
  }

  close(): void {
    this.#closed = true
    CREATED.unsubscribe(this.#streamCreated)
    CLOSED.unsubscribe(this.#streamClosed)
  }

  // What a subscriber throws ends the process: a destroyed session's socket must not be asked for anything.
  #streamCreated = (message: unknown): void => {
    const { stream } = message as { stream: ClientHttp2Stream }
    const { session } = stream
    if (session === undefined || session.destroyed) return
    const watched = (session.socket as WatchedSocket)[WATCHED]
    if (watched?.by !== this) return
    this.#upstreams.set(stream, watched.upstream)
    // In a constant first: docs/architecture.md, "Closures on properties".
    const close: ClientHttp2Stream['close'] = (_code, callback) => this.#giveUp(stream, callback)
    stream.close = close
    stream.off = keepReader
    stream.once('pipe', (body: Readable) => endWithAnswer(stream, body))
  }

  /** Called before Node ends a stream that it closes, and after END_STREAM has ended one. */
  #streamClosed = (message: unknown): void => {
    const { stream } = message as { stream: ClientHttp2Stream }
    const upstream = this.#upstreams.get(stream)
    if (upstream === undefined || hasEnded(stream)) return
    // Before undici's own listener, and at the end: bytes that came before the reset are passed on.
    stream.prependOnceListener('end', () => {
      // Nobody listens to a stream that undici has done with.
      if (stream.listenerCount('error') > 0) stream.emit('error', new TruncatedError(upstream))
    })
  }

  /** In place of a stream's `close`. Node resets with CANCEL what is destroyed for a signal. */
  #giveUp(stream: ClientHttp2Stream, callback: (() => void) | undefined): void {
    const { session } = stream
    if (callback !== undefined) stream.once('close', callback)
    addAbortSignal(ABANDONED, stream)
    if (session !== undefined && !session.destroyed) {
      this.#ask(session as ClientHttp2Session, this.#upstreams.get(stream) as string)
    }
  }

  /** Closes the session unless its peer shows that it is there. */
  #ask(session: ClientHttp2Session, upstream: string): void {
    if (this.#pinged.has(session)) return
    this.#pinged.add(session)
    const limit = setTimeout(() => session.destroy(new ResetError(upstream)), this.#pingLimitMs).unref()
    const answered = (): void => {
      clearTimeout(limit)
      this.#pinged.delete(session)
    }
    // Called back with an error where the session closes before; `false` where too many are under way.
    if (!session.ping(answered)) answered()
  }
}

/**
 * In place of a stream's `off`, which undici alone calls: who reads it, reads it to its end. What undici has done with, its
 * reader takes no notice of.
 */
function keepReader(
  this: ClientHttp2Stream,
  event: string | symbol,
  listener: (...args: never[]) => void,
): ClientHttp2Stream {
  return event === 'data' ? this : this.removeListener(event, listener as (...args: unknown[]) => void)
}

/** Whether its upstream has sent all that it sends, read or not. */
function hasEnded(stream: ClientHttp2Stream): boolean {
  return (stream as unknown as Internals)._readableState.ended
}

/**
 * A body that goes to a stream goes there no more once the upstream has ended and closed it. Node calls it aborted then, and
 * pipelines take that for an error, by which they destroy it with all that is still to be read.
 */
function endWithAnswer(stream: ClientHttp2Stream, body: Readable): void {
  const emit = stream.emit.bind(stream)
  // In a constant first: docs/architecture.md, "Closures on properties".
  const emitUnlessEnded = (event: string | symbol, ...details: unknown[]): boolean => {
    if (event !== 'aborted' || !hasEnded(stream)) return emit(event, ...details)
    body.unpipe(stream)
    return true
  }
  stream.emit = emitUnlessEnded
}
