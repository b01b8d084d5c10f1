import { type AddressInfo, createServer, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { Test } from 'tap'
import { testCertificate } from './certificate.ts'
import { upstreamInCleartext } from './helper.ts'
import { RawH2 } from './raw-h2.ts'
import { Milestones } from './signal.ts'

/** Plays one request, in frames. What it throws fails the test. */
export type RawPlay = (h2: RawH2, stream: number) => unknown

/** An HTTP/2 upstream, over TLS or in cleartext, that writes frames as its script says: also those that no library would. */
export class RawH2Upstream {
  readonly connections: RawH2[] = []
  readonly #address: () => string
  readonly #connected = new Milestones()
  readonly #requests = new Milestones()

  constructor(address: () => string) {
    this.#address = address
  }

  get origin(): string {
    return this.#address()
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

/** Starts one on a free loopback port; it closes with the test. @param options.cleartext `h2c://` */
export async function startRawH2Upstream(
  t: Test,
  play: RawPlay,
  { cleartext = upstreamInCleartext(t) }: { cleartext?: boolean } = {},
): Promise<RawH2Upstream> {
  const sockets = new Set<Socket>()
  const accept = (socket: Socket): void => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    upstream.accept(socket, play).catch((error: unknown) => t.fail("the upstream's script failed", { error }))
  }
  const server = cleartext
    ? createServer(accept)
    : createTlsServer({ ...(await testCertificate()), ALPNProtocols: ['h2'] }, accept)
  const scheme = cleartext ? 'h2c' : 'https'
  const upstream = new RawH2Upstream(() => `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    for (const socket of sockets) socket.destroy()
    await closed
  })
  return upstream
}
