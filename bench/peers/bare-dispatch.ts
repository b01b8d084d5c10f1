/** The floor for a proxy on Node: `node:http` with `writeHead(array)` and undici's `dispatch`, nothing else. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Pool, type Dispatcher } from 'undici'
import { announce, argument } from './peer.ts'

const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])
const KEEP_ALIVE_MS = 72_000

const origin = new URL(argument('origin'))
const pool = new Pool(origin, { connections: 128, pipelining: 1, allowH2: false })

function requestHeaders(request: IncomingMessage): string[] {
  const { rawHeaders } = request
  const headers: string[] = []
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase()
    if (name !== 'host' && !HOP_BY_HOP.has(name)) headers.push(rawHeaders[i]!, rawHeaders[i + 1]!)
  }
  headers.push('host', origin.host, 'x-forwarded-for', request.socket.remoteAddress ?? '')
  return headers
}

function writeHead(response: ServerResponse, status: number, rawHeaders: Buffer[]): void {
  const headers: string[] = []
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toString('latin1')
    if (!HOP_BY_HOP.has(name.toLowerCase())) headers.push(name, rawHeaders[i + 1]!.toString('latin1'))
  }
  response.writeHead(status, headers)
}

class Exchange implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse

  constructor(response: ServerResponse) {
    this.#response = response
  }

  onRequestStart(): void {}

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    // undici's own parser gives Buffers here; its types allow strings for other dispatchers.
    writeHead(this.#response, status, controller.rawHeaders as Buffer[])
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#response.write(chunk)) this.#wait(controller)
  }

  onResponseEnd(): void {
    this.#response.end()
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#response.destroy(error)
  }

  #wait(controller: Dispatcher.DispatchController): void {
    const response = this.#response
    const resume = (): void => {
      response.off('drain', resume)
      response.off('close', resume)
      if (response.destroyed) controller.abort(new Error('The client left'))
      else controller.resume()
    }
    controller.pause()
    response.on('drain', resume)
    response.on('close', resume)
  }
}

const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
  pool.dispatch(
    {
      path: request.url ?? '/',
      method: request.method as Dispatcher.HttpMethod,
      headers: requestHeaders(request),
      body: request.method === 'GET' ? null : request,
    },
    new Exchange(response),
  )
})
server.listen(0, '127.0.0.1', 4096, () => {
  const { port } = server.address() as AddressInfo
  announce({ url: `http://127.0.0.1:${port}`, secureUrl: null, pids: [process.pid] })
})
