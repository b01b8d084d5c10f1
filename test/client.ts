import { connect, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2'
import type { Test } from 'tap'
import { type ClientResponse, Incoming, type ResponseHead } from './incoming.ts'
import { connectRaw, rawSocket } from './raw-client.ts'
import { type Field, get } from './wire.ts'

/** What a scenario is run over. `h1` and `h2c` in cleartext, the others over TLS. */
export const PROTOCOLS = ['h1', 'h1-tls', 'h2', 'h2c'] as const
export type Protocol = (typeof PROTOCOLS)[number]

export interface ClientRequest {
  method?: string
  path: string
  /** `Host` or `:authority`; default `gateway.test`. */
  authority?: string
  fields?: Field[]
  body?: string | Buffer
  /** The body is written by the test, through the exchange. */
  streamBody?: boolean
  /** False: count the response's body instead of keeping it. */
  keepBody?: boolean
}

export interface ClientExchange {
  response: Incoming
  /** Resolves when the bytes have left, or the exchange is over. */
  write(data: string | Buffer): Promise<void>
  end(): void
  /** Leave: RST on h1, RST_STREAM(CANCEL) on h2. */
  abort(): void
  /** Stop reading the response. */
  pause(): void
  resume(): void
}

/** The same requests over any protocol. An h1 exchange has a connection of its own, h2 ones share theirs. */
export interface Client {
  readonly protocol: Protocol
  open(request: ClientRequest): Promise<ClientExchange>
  /** @throws {BrokenResponse} */
  request(request: ClientRequest): Promise<ClientResponse>
}

const AUTHORITY = 'gateway.test'

function h1Head(request: ClientRequest): { head: string; chunked: boolean } {
  const fields = [['Host', request.authority ?? AUTHORITY] as const, ...(request.fields ?? [])]
  const hasLength = get(fields, 'content-length') !== undefined
  const chunked = request.streamBody === true && !hasLength
  if (chunked) fields.push(['Transfer-Encoding', 'chunked'])
  if (request.body !== undefined && !hasLength) {
    fields.push(['Content-Length', String(Buffer.byteLength(request.body))])
  }
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return { head: `${request.method ?? 'GET'} ${request.path} HTTP/1.1\r\n${lines}\r\n`, chunked }
}

async function openH1(t: Test, port: number, tls: boolean, request: ClientRequest): Promise<ClientExchange> {
  const connection = await connectRaw(t, tls ? { port, tls: 'http/1.1' } : { port })
  const { head, chunked } = h1Head(request)
  const response = connection.expect(request.method, request.keepBody)
  void connection.send(Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(request.body ?? '')]))
  return {
    response,
    write: (data) => {
      const bytes = Buffer.from(data)
      if (!chunked) return connection.send(bytes)
      return connection.send(
        Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]),
      )
    },
    end: () => {
      if (chunked) void connection.send('0\r\n\r\n')
    },
    abort: () => connection.reset(),
    pause: () => connection.pause(),
    resume: () => connection.resume(),
  }
}

/** Node's flat array of names and values, without pseudo-header fields. */
function pairs(raw: string[]): Field[] {
  const fields: Field[] = []
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] ?? ''
    if (!name.startsWith(':')) fields.push([name, raw[index + 1] ?? ''])
  }
  return fields
}

function h2ResponseHead(status: unknown, raw: string[]): ResponseHead {
  const fields = pairs(raw)
  return { status: Number(status), fields, get: (name) => get(fields, name) }
}

/**
 * Node's client takes RST_STREAM(NO_ERROR) for an end, so the length is checked here. Where a response has none, a test
 * that cares for how it ended uses test/raw-h2.ts.
 */
function readH2(stream: ClientHttp2Stream, response: Incoming, method = 'GET'): void {
  let trailers: Field[] = []
  let expected: number | undefined
  stream.on('headers', (headers, _flags, raw) => {
    response.onInterim(h2ResponseHead(headers[':status'], raw))
  })
  stream.on('response', (headers, _flags, raw) => {
    const head = h2ResponseHead(headers[':status'], raw)
    const length = head.get('content-length')
    if (length !== undefined && method !== 'HEAD' && head.status !== 304) expected = Number(length)
    response.onHead(head)
  })
  stream.on('trailers', (_headers, _flags, raw) => {
    trailers = pairs(raw)
  })
  stream.on('data', (chunk: Buffer) => response.onBody(chunk))
  stream.on('error', () => undefined) // 'close' follows, and says the same
  stream.on('close', () => {
    const whole = expected === undefined || expected === response.received
    if (stream.rstCode === 0 && stream.readableEnded && response.hasHead && whole) response.onEnd(trailers)
    else response.onBreak(`the stream ended with code ${stream.rstCode}`)
  })
}

function openH2(session: ClientHttp2Session, request: ClientRequest): ClientExchange {
  const flat = [':method', request.method ?? 'GET', ':path', request.path]
  flat.push(':scheme', session.encrypted ? 'https' : 'http', ':authority', request.authority ?? AUTHORITY)
  for (const [name, value] of request.fields ?? []) flat.push(name.toLowerCase(), value)
  const stream = session.request(flat, { endStream: request.body === undefined && !request.streamBody })
  const response = new Incoming(request.keepBody)
  readH2(stream, response, request.method)
  if (request.body !== undefined) stream.end(request.body)
  return {
    response,
    write: (data) => new Promise((resolve) => stream.write(data, () => resolve())),
    end: () => stream.end(),
    // close(CANCEL) would write END_STREAM first, and turn what was sent of a body into a whole one.
    abort: () => stream.destroy(new Error('the client leaves')),
    pause: () => stream.pause(),
    resume: () => stream.resume(),
  }
}

async function connectH2(t: Test, port: number, tls: boolean): Promise<ClientHttp2Session> {
  const socket = await rawSocket(t, tls ? { port, tls: 'h2' } : { port })
  const session = connect(`${tls ? 'https' : 'http'}://127.0.0.1:${port}`, { createConnection: () => socket })
  session.on('error', () => undefined) // each stream reports it
  t.teardown(() => session.destroy())
  return session
}

/** @param ports of a listener for cleartext (h1 and h2c) and of one for TLS (h1 and h2) */
export async function connectClient(
  t: Test,
  ports: { cleartext: number; tls: number },
  protocol: Protocol,
): Promise<Client> {
  const tls = protocol === 'h2' || protocol === 'h1-tls'
  const port = tls ? ports.tls : ports.cleartext
  let open: Client['open']
  if (protocol === 'h1' || protocol === 'h1-tls') {
    open = (request) => openH1(t, port, tls, request)
  } else {
    const session = await connectH2(t, port, tls)
    open = async (request) => openH2(session, request)
  }
  return { protocol, open, request: async (request) => (await open(request)).response.whole() }
}
