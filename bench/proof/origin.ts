/** The service behind the gateway, in this process: what a proof sends is little. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

const BODY = JSON.stringify({ vehicles: Array.from({ length: 20 }, (_, id) => ({ id, plate: `HR-${id}` })) })
export const BODY_BYTES = BODY.length
/** What is large. */
const LARGE = Buffer.alloc(524_288, 'x')
/** Pieces of a stream, and the time between two. */
const PIECES = 15
const PIECE_EVERY_MS = 100
const PIECE = `data: ${'x'.repeat(50)}\n\n`
export const STREAM_BYTES = PIECES * PIECE.length

/**
 * `/` is answered at once, `/stream` for one and a half seconds piece by piece, `/cached` so that it may be kept, and
 * `/hang` never, and `/large` with half a megabyte.
 */
export class Origin implements AsyncDisposable {
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(): Promise<Origin> {
    const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
      const path = request.url ?? ''
      request.resume()
      if (path.startsWith('/hang')) return
      if (path.startsWith('/cached')) response.setHeader('cache-control', 'max-age=3600')
      if (path.startsWith('/large')) return void response.end(LARGE)
      if (!path.startsWith('/stream')) return void response.end(BODY)
      response.setHeader('content-type', 'text/event-stream')
      let piece = 0
      const timer = setInterval(() => {
        response.write(PIECE)
        if (++piece === PIECES) response.end()
      }, PIECE_EVERY_MS)
      response.on('close', () => clearInterval(timer))
    })
    server.listen(0, '127.0.0.1', 4096)
    await once(server, 'listening')
    return new Origin(server)
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
