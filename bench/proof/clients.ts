/** Clients as programs have them: Node's own, with connections that stay open. */
import { Agent, request } from 'node:http'
import { type ClientHttp2Session, connect, constants } from 'node:http2'

/** What an answer has to be. */
export interface Expected {
  status: number
  /** `null`: any. */
  bodyBytes: number | null
}

/** @returns what is wrong with the answer; null when it is as it has to be */
type Ask = (path: string, expected: Expected) => Promise<string | null>

export interface Client {
  ask: Ask
  close(): void
}

function faultOf(expected: Expected, status: number, bodyBytes: number): string | null {
  if (status !== expected.status) return `status ${status}`
  const isWhole = expected.bodyBytes === null || expected.bodyBytes === bodyBytes
  return isWhole ? null : `${bodyBytes} bytes instead of ${expected.bodyBytes}`
}

const REFUSED = 'the stream was refused'
const ATTEMPTS = 5

/** HTTP/1.1 over connections that are kept; the next request takes one that is idle, whoever may just be closing it. */
export function http1Client(port: number, connections: number): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  return {
    ask: (path, expected) =>
      new Promise((resolve) => {
        const sent = request({ port, host: '127.0.0.1', path, agent }, (response) => {
          let bytes = 0
          response.on('data', (chunk: Buffer) => (bytes += chunk.length))
          response.on('end', () => resolve(faultOf(expected, response.statusCode ?? 0, bytes)))
          response.on('error', ({ message }) => resolve(message))
        })
        sent.on('error', (error: NodeJS.ErrnoException) =>
          resolve(`${error.code ?? error.message}${sent.reusedSocket ? ' on a connection that was kept' : ''}`),
        )
        sent.end()
      }),
    close: () => agent.destroy(),
  }
}

/**
 * HTTP/2 in cleartext over a few sessions. One that the server tells to go away gets no more streams and another takes its
 * place; streams that were not begun (RFC 9113 §8.7: refused, or still waiting in this client) go there, as clients may.
 */
export class Http2Client implements Client {
  /** Streams that were not begun, and sent again. */
  refused = 0
  /** Sessions that were replaced. */
  replaced = 0
  readonly #port: number
  readonly #sessions: (ClientHttp2Session | null)[]
  #turn = 0

  constructor(port: number, sessions: number) {
    this.#port = port
    this.#sessions = Array.from({ length: sessions }, () => null)
  }

  async ask(path: string, expected: Expected): Promise<string | null> {
    for (let attempt = 1; ; attempt++) {
      const fault = await this.#once(path, expected)
      if (fault !== REFUSED || attempt === ATTEMPTS) return fault
      this.refused++
    }
  }

  close(): void {
    for (const session of this.#sessions) session?.destroy()
  }

  #once(path: string, expected: Expected): Promise<string | null> {
    const stream = this.#session().request({ ':path': path })
    return new Promise((resolve) => {
      let status = 0
      let bytes = 0
      let isWhole = false
      stream.on('response', (headers) => (status = Number(headers[':status'])))
      stream.on('data', (chunk: Buffer) => (bytes += chunk.length))
      stream.on('end', () => (isWhole = true))
      stream.on('error', () => undefined) // 'close' follows
      stream.on('close', () => {
        const { rstCode } = stream
        if (rstCode === constants.NGHTTP2_REFUSED_STREAM) resolve(REFUSED)
        else if (rstCode !== 0 || !isWhole || status === 0) resolve(`the stream ended with code ${rstCode}`)
        else resolve(faultOf(expected, status, bytes))
      })
    })
  }

  #session(): ClientHttp2Session {
    const place = this.#turn++ % this.#sessions.length
    const known = this.#sessions[place]
    if (known !== null && known !== undefined && !known.closed && !known.destroyed) return known
    const session = connect(`http://127.0.0.1:${this.#port}`)
    session.on('error', () => undefined) // each stream tells
    if (known !== null) this.replaced++
    this.#sessions[place] = session
    return session
  }
}
