import type { AddressInfo, Socket } from 'node:net'
import { createServer } from 'node:tls'
import type { Test } from 'tap'
import { testCertificate } from './certificate.ts'
import { RawH2 } from './raw-h2.ts'
import { Milestones } from './signal.ts'

/** Plays one request, in frames. What it throws fails the test. */
export type RawPlay = (h2: RawH2, stream: number) => unknown

/** An HTTP/2 upstream over TLS that writes frames as its script says: also those that no library would. */
export class RawH2Upstream {
  readonly connections: RawH2[] = []
  readonly #port: () => number
  readonly #connected = new Milestones()
  readonly #requests = new Milestones()

  constructor(port: () => number) {
    this.#port = port
  }

  get origin(): string {
    return `https://127.0.0.1:${this.#port()}`
  }

  /** How many requests have begun, on all connections. */
  get requests(): number {
    return this.#requests.reached
  }

  /** Resolves with connection number `count`, once there is one. */
  async connected(count = 1): Promise<RawH2> {
    await this.#connected.wait(count)
    return this.connections[count - 1] as RawH2
  }

  /** For the server's listener only. */
  async accept(socket: Socket, play: RawPlay): Promise<never> {
    const h2 = new RawH2(socket, 'server')
    this.connections.push(h2)
    this.#connected.advance()
    for (let count = 1; ; count++) {
      const stream = await h2.request(count)
      this.#requests.advance()
      void play(h2, stream)
    }
  }
}

/** Starts one on a free loopback port; it closes with the test. */
export async function startRawH2Upstream(t: Test, play: RawPlay): Promise<RawH2Upstream> {
  const sockets = new Set<Socket>()
  const server = createServer({ ...(await testCertificate()), ALPNProtocols: ['h2'] })
  const upstream = new RawH2Upstream(() => (server.address() as AddressInfo).port)
  server.on('secureConnection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    upstream.accept(socket, play).catch((error: unknown) => t.fail("the upstream's script failed", { error }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    for (const socket of sockets) socket.destroy()
    await closed
  })
  return upstream
}
