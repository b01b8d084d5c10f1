/** A service that works at so many requests at a time, each for so long, and lets all others wait: a pool of database connections. */
import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export class LimitedOrigin implements AsyncDisposable {
  readonly #server: Server
  readonly #waiting: ServerResponse[] = []
  readonly #workers: number
  readonly #workMs: number
  #busy = 0

  private constructor(workers: number, workMs: number) {
    this.#workers = workers
    this.#workMs = workMs
    this.#server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
      request.resume()
      this.#waiting.push(response)
      this.#work()
    })
  }

  static async start(workers: number, workMs: number): Promise<LimitedOrigin> {
    const origin = new LimitedOrigin(workers, workMs)
    origin.#server.listen(0, '127.0.0.1', 4096)
    await once(origin.#server, 'listening')
    return origin
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #work(): void {
    while (this.#busy < this.#workers && this.#waiting.length > 0) {
      const response = this.#waiting.shift() as ServerResponse
      this.#busy++
      setTimeout(() => {
        this.#busy--
        response.end('done')
        this.#work()
      }, this.#workMs)
    }
  }
}
