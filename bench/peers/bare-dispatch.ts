/**
 * The floor for a proxy on Node: `node:http` and undici's `dispatch`, nothing else. `--write` names how the answer is
 * written, so that the ways can be compared:
 *
 * - `raw`: `writeHead(array)`, a `write` a chunk, `end()`: documented API alone
 * - `raw-last`: the same, but the last chunk goes with `end(chunk)`
 * - `block`: a header block of our own in the private `_header`, a `write` a chunk, `end()`
 * - `block-last`: a block of our own, the last chunk with `end(chunk)`
 * - `block-string`: as `block-last`, and a small single-chunk body as latin1 text, so that head and body are one string
 */
import { createServer, STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http'
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
/** Up to here one string beats a header block and a Buffer. */
const STRING_BYTES = 16_384

/** Node has no public way to give it a finished header block. */
interface WithHeaderBlock {
  _header: string
  chunkedEncoding: boolean
}

const origin = new URL(argument('origin'))
const way = argument('write')
const ownBlock = way.startsWith('block')
const holdLast = way !== 'raw' && way !== 'block'
const asString = way === 'block-string'
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

function writeBlock(response: ServerResponse & Partial<WithHeaderBlock>, status: number, rawHeaders: Buffer[]): void {
  let block = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n`
  let framed = false
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toString('latin1')
    const lowered = name.toLowerCase()
    if (HOP_BY_HOP.has(lowered)) continue
    if (lowered === 'content-length') framed = true
    block += `${name}: ${rawHeaders[i + 1]!.toString('latin1')}\r\n`
  }
  if (!framed) {
    block += 'transfer-encoding: chunked\r\n'
    response.chunkedEncoding = true
  }
  response._header = `${block}connection: keep-alive\r\nkeep-alive: timeout=${KEEP_ALIVE_MS / 1000}\r\n\r\n`
}

class Exchange implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse
  #held: Buffer | null = null
  #only = true

  constructor(response: ServerResponse) {
    this.#response = response
  }

  onRequestStart(): void {}

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    // undici's own parser gives Buffers here; its types allow strings for other dispatchers.
    const rawHeaders = controller.rawHeaders as Buffer[]
    if (ownBlock) writeBlock(this.#response, status, rawHeaders)
    else writeHead(this.#response, status, rawHeaders)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    let ready: Buffer | null = chunk
    if (holdLast) {
      ready = this.#held
      this.#held = chunk
      if (ready === null) return
      this.#only = false
    }
    if (!this.#response.write(ready)) this.#wait(controller)
  }

  onResponseEnd(): void {
    const held = this.#held
    if (held === null) this.#response.end()
    else if (asString && this.#only && held.length <= STRING_BYTES)
      this.#response.end(held.toString('latin1'), 'latin1')
    else this.#response.end(held)
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
  announce({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, pids: [process.pid] })
})
