import { Agent, request } from 'node:http'

export interface InterimAnswer {
  status: number
  get(name: string): string | undefined
}

/** An answer as the client got it. */
export interface ClientAnswer {
  status: number
  /** The values of a field, lines joined by commas. */
  get(name: string): string | undefined
  body: string
  interim: readonly InterimAnswer[]
}

export interface ClientRequest {
  method: string
  path: string
  fields: readonly (readonly [string, string])[]
  content: string | undefined
}

const PATIENCE_MS = 20_000

/** An HTTP/1.1 client that keeps its connections. */
export class Client {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 })
  readonly #origin: URL

  constructor(origin: URL) {
    this.#origin = origin
  }

  close(): void {
    this.#agent.destroy()
  }

  /** @throws {Error} where the connection ends before the answer does */
  send({ method, path, fields, content }: ClientRequest): Promise<ClientAnswer> {
    const length = content === undefined ? [] : ['Content-Length', String(content.length)]
    const interim: InterimAnswer[] = []
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          agent: this.#agent,
          host: this.#origin.hostname,
          port: this.#origin.port,
          method,
          path,
          headers: ['Host', this.#origin.host, ...fields.flat(), ...length],
          timeout: PATIENCE_MS,
        },
        (incoming) => {
          const chunks: Buffer[] = []
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
          incoming.on('error', reject)
          incoming.on('end', () =>
            resolve({
              status: incoming.statusCode ?? 0,
              get: (name) => joined(incoming.rawHeaders, name),
              body: Buffer.concat(chunks).toString(),
              interim,
            }),
          )
        },
      )
      outgoing.on('information', ({ statusCode, rawHeaders }) => {
        interim.push({ status: statusCode, get: (name) => joined(rawHeaders, name) })
      })
      outgoing.on('timeout', () => outgoing.destroy(new Error('no answer')))
      outgoing.on('error', reject)
      outgoing.end(content)
    })
  }
}

function joined(raw: readonly string[], name: string): string | undefined {
  const values = raw.filter((_, index) => index % 2 === 1 && raw[index - 1]?.toLowerCase() === name.toLowerCase())
  return values.length === 0 ? undefined : values.join(', ')
}
