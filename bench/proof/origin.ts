/** The service behind the gateway, in this process: what a proof sends is little. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

const BODY = JSON.stringify({ vehicles: Array.from({ length: 20 }, (_, id) => ({ id, plate: `HR-${id}` })) })
export const BODY_BYTES = BODY.length
/** Some 50 KiB. */
const FLEET = JSON.stringify({
  vehicles: Array.from({ length: 400 }, (_, id) => ({
    id,
    plate: `HR-${id}`,
    driver: { name: `Driver ${id}`, phone: `+49 151 ${1_000_000 + id}` },
    place: { latitude: 53 + id / 1000, longitude: 10 + id / 1000 },
  })),
})
/** Pieces of a stream, and the time between two. */
const PIECES = 15
const PIECE_EVERY_MS = 100
const PIECE = `data: ${'x'.repeat(50)}\n\n`
export const STREAM_BYTES = PIECES * PIECE.length

/**
 * `/` is answered at once, `/fleet` with more, `/stream` for one and a half seconds piece by piece, `/cached` so that it may be
 * kept, and `/hang` never.
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
      if (path.startsWith('/fleet')) {
        response.setHeader('content-type', 'application/json')
        return void response.end(FLEET)
      }
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
