import {
  createSecureServer,
  createServer,
  type IncomingHttpHeaders,
  type SecureServerOptions,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import type { Test } from 'tap'
import { testCertificate } from './certificate.ts'
import { gatewayBeforeOrigin, upstreamInCleartext } from './helper.ts'
import type { ConfigInput, Gateway } from './helper.ts'
import { Milestones } from './signal.ts'

/** One request at the upstream. */
export interface H2Exchange {
  stream: ServerHttp2Stream
  headers: IncomingHttpHeaders
  session: ServerHttp2Session
}

/** Plays one request; what it throws fails the test. */
export type H2Play = (exchange: H2Exchange) => unknown

/** An HTTP/2 upstream on node:http2, over TLS or in cleartext. For what no library would write there is test/raw-h2-upstream.ts. */
export class H2Upstream {
  readonly exchanges: H2Exchange[] = []
  readonly sessions: ServerHttp2Session[] = []
  readonly origin: string
  readonly #requests = new Milestones()
  readonly #closedSessions = new Milestones()

  constructor(origin: string) {
    this.origin = origin
  }

  /** Resolves with request number `count`, once its head has arrived. */
  async received(count = 1): Promise<H2Exchange> {
    await this.#requests.wait(count)
    return this.exchanges[count - 1] as H2Exchange
  }

  /** Resolves once `count` sessions have closed. */
  sessionsClosed(count = 1): Promise<void> {
    return this.#closedSessions.wait(count)
  }

  /** For the server's listeners only. */
  begin(session: ServerHttp2Session): void {
    this.sessions.push(session)
    session.on('error', () => undefined) // 'close' follows
    session.on('close', () => this.#closedSessions.advance())
  }

  request(exchange: H2Exchange): void {
    this.exchanges.push(exchange)
    this.#requests.advance()
  }
}

/** Starts one on a free loopback port; it closes with the test. @param options.cleartext `h2c://` */
export async function startH2Upstream(
  t: Test,
  play: H2Play,
  {
    cleartext = upstreamInCleartext(t),
    port = 0,
    ...options
  }: SecureServerOptions & { port?: number; cleartext?: boolean } = {},
): Promise<H2Upstream> {
  const server = cleartext ? createServer(options) : createSecureServer({ ...(await testCertificate()), ...options })
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const upstream = new H2Upstream(
    `${cleartext ? 'h2c' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
  )
  server.on('session', (session) => upstream.begin(session))
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on('error', () => undefined) // 'close' follows
    const exchange: H2Exchange = { stream, headers, session: stream.session as ServerHttp2Session }
    upstream.request(exchange)
    const playing = async (): Promise<unknown> => play(exchange)
    playing().catch((error: unknown) => t.fail("the upstream's script failed", { error }))
  })
  t.teardown(async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    for (const socket of sockets) socket.destroy()
    await closed
  })
  return upstream
}

/** A gateway with one route to an HTTP/2 upstream of this script. */
export async function gatewayBeforeH2(
  t: Test,
  play: H2Play,
  setUp: { server?: SecureServerOptions & { cleartext?: boolean }; to?: ConfigInput; config?: ConfigInput } = {},
): Promise<{ gateway: Gateway; upstream: H2Upstream }> {
  const upstream = await startH2Upstream(t, play, setUp.server)
  return { gateway: await gatewayBeforeOrigin(t, upstream.origin, setUp.to, setUp.config), upstream }
}
