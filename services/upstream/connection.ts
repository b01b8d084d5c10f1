import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { type buildConnector, Client, type Dispatcher } from 'undici'

/** A handler that wants to know over which connection its request goes. */
export interface ConnectionAware {
  connection: Connection | undefined
}

/**
 * One connection at a time to a target, opened anew when the last one has ended. It counts the answers on the present one,
 * because a reset means another thing on a connection that was idle (the upstream closed it, the request was not seen) than
 * on a new one.
 */
export class Connection extends Client {
  answered = 0
  /** There is a connection now. */
  open = false
  /** The present connection speaks HTTP/2: the upstream has chosen it, or is not asked. */
  http2 = false
  readonly #socket: { current: Socket | undefined }
  readonly #inCleartext: boolean

  /** @param connected is told of each connection over HTTP/2, before it is used */
  constructor(origin: string | URL, options: Client.Options, connected: (socket: Socket) => void) {
    const socket: { current: Socket | undefined } = { current: undefined }
    const connect = options.connect as buildConnector.connector
    super(origin, {
      ...options,
      connect: (to, callback) =>
        connect(to, (...result) => {
          socket.current = result[1] ?? undefined
          if (socket.current !== undefined && speaksHttp2(socket.current)) connected(socket.current)
          callback(...result)
        }),
    })
    this.#socket = socket
    this.#inCleartext = new URL(origin).protocol === 'http:'
    this.on('connect', () => {
      this.open = true
      this.answered = 0
      this.http2 = socket.current !== undefined && speaksHttp2(socket.current)
    })
    this.on('disconnect', () => {
      this.open = false
    })
  }

  /** `true` where the connection ended with an error, a reset say, and not with its end. */
  get broken(): boolean {
    return this.#socket.current?.errored != null
  }

  /** `true` while nothing has shown that a peer speaks HTTP/2 which was not asked whether it does (prior knowledge). */
  get isGuess(): boolean {
    return this.http2 && this.#inCleartext && this.answered === 0
  }

  /** `true` once the present connection is gone, and not only a stream of it. */
  get gone(): boolean {
    return this.#socket.current?.destroyed !== false
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    ;(handler as Partial<ConnectionAware>).connection = this
    return super.dispatch(options, handler)
  }
}

/** By ALPN; undici says the same of a connection with prior knowledge. */
function speaksHttp2(socket: Socket): boolean {
  return (socket as Partial<TLSSocket>).alpnProtocol === 'h2'
}
