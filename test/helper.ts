import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { test, type Test } from 'tap'
import { resolveConfig } from '../config/resolve.ts'
import { serve } from '../server.ts'
import { writeCertificate } from './certificate.ts'
import { type Client, connectClient, type Protocol } from './client.ts'
import type { ClientResponse } from './incoming.ts'
import { connectRaw, type RawConnection } from './raw-client.ts'
import { connectRawH2, type RawH2 } from './raw-h2.ts'
import { type Script, startUpstream, type Upstream, type UpstreamOptions } from './upstream-server.ts'

/** A configuration as people write it; the helper adds listeners and silence, and has no control plane by default. */
export type ConfigInput = Record<string, unknown>

export interface Gateway {
  /** The listener in cleartext speaks h1 and h2c, the one over TLS h1 and h2. */
  ports: { cleartext: number; tls: number }
  token: string
  adminUrl: string | undefined
  client(protocol: Protocol): Promise<Client>
  /** A connection in cleartext for exact bytes. */
  raw(): Promise<RawConnection>
  rawH2(): Promise<RawH2>
  close(): Promise<void>
}

/**
 * A control plane costs as much as all the rest of a gateway that starts: tests that speak to it ask for one. Some ask it until
 * something has happened, as often as they can.
 */
export const CONTROL_PLANE = { port: 0, token: 'test-token', rateLimit: false }

/** {@link startGateway} with a control plane on a port of its own. */
export function startManagedGateway(t: Test, input: ConfigInput): Promise<Gateway> {
  return startGateway(t, { admin: CONTROL_PLANE, ...input })
}

/** Starts the real server, in this process, on free ports; it closes with the test. */
export async function startGateway(t: Test, input: ConfigInput): Promise<Gateway> {
  const root = t.testdir()
  const certificate = await writeCertificate(root)
  const cleartext = { port: 0, h2c: true }
  const config = resolveConfig(
    {
      listen: needsTls(t) ? [cleartext, { port: 0, tls: certificate }] : [cleartext],
      // As much work at the start as all the rest of the pages; what is tested of it has it.
      endpoints: { docs: false },
      admin: false,
      log: { level: 'silent' },
      drainTimeout: '0s',
      ...input,
    },
    { root },
  )
  const running = await serve(config)
  t.teardown(() => running.close())
  const port = (wanted: string): number => {
    const address = running.addresses.find(({ kind, url }) => kind === 'public' && url.startsWith(`${wanted}:`))
    return address ? Number(new URL(address.url).port) : 0
  }
  const ports = { cleartext: port('http'), tls: port('https') }
  return {
    ports,
    token: running.token ?? '',
    adminUrl: running.addresses.find(({ kind }) => kind === 'admin')?.url,
    client: (protocol) => connectClient(t, ports, protocol),
    raw: () => connectRaw(t, { port: ports.cleartext }),
    rawH2: () => connectRawH2(t, { port: ports.cleartext }),
    close: () => running.close(),
  }
}

/** What {@link everyProtocol} notes of a test: to listen with TLS is a fifth of what starting a gateway costs. */
interface Context {
  protocol?: Protocol
}

const protocolOf = ({ context }: Test): Protocol | undefined => (context as Context).protocol

function needsTls(t: Test): boolean {
  const protocol = protocolOf(t)
  return protocol !== 'h1' && protocol !== 'h2c'
}

/**
 * Whether an HTTP/2 upstream of this test is one in cleartext: where its client speaks HTTP/2 in cleartext too. So what is
 * tested over every protocol is tested of both kinds.
 */
export function upstreamInCleartext(t: Test): boolean {
  return protocolOf(t) === 'h2c'
}

export interface SetUp {
  upstream?: UpstreamOptions
  /** Options of the upstream in the configuration. */
  to?: ConfigInput
  /** Options of the route. */
  route?: ConfigInput
  /** Its key; default: everything. */
  key?: string
  /** The rest of the configuration. */
  config?: ConfigInput
}

/** Shorter than PATIENCE, longer than any loopback round trip. */
export const TIMEOUTS = { connect: '8s', firstByte: '8s', idle: '8s', total: '8s' }

/** A gateway with one route to one scripted upstream. */
export async function gatewayBefore(
  t: Test,
  script: Script,
  setUp: SetUp = {},
): Promise<{ gateway: Gateway; upstream: Upstream }> {
  const upstream = await startUpstream(t, script, setUp.upstream)
  const gateway = await startGateway(t, {
    upstreams: { origin: { targets: [upstream.origin], timeout: TIMEOUTS, ...setUp.to } },
    routes: { [setUp.key ?? '/*']: { to: 'origin', ...setUp.route } },
    ...setUp.config,
  })
  return { gateway, upstream }
}

/** {@link gatewayBefore} with a control plane on a port of its own. */
export function managedGatewayBefore(
  t: Test,
  script: Script,
  setUp: SetUp = {},
): Promise<{ gateway: Gateway; upstream: Upstream }> {
  return gatewayBefore(t, script, { ...setUp, config: { admin: CONTROL_PLANE, ...setUp.config } })
}

/** A gateway with one route to an upstream that is asked for HTTP/2. */
export function gatewayBeforeOrigin(
  t: Test,
  origin: string,
  to: ConfigInput = {},
  config: ConfigInput = {},
): Promise<Gateway> {
  return startGateway(t, {
    upstreams: { origin: { targets: [origin], http2: true, tls: { verify: false }, timeout: TIMEOUTS, ...to } },
    routes: { '/*': { to: 'origin' } },
    ...config,
  })
}

/** Milliseconds: a test that hangs must not take the rest of its file along. Many times what any needs by itself. */
export const PATIENCE = 120_000

/** The same scenario over HTTP/1.1, HTTP/2 over TLS and h2c: a test each. */
export function everyProtocol(
  name: string,
  scenario: (t: Test, protocol: Protocol) => Promise<void>,
  protocols: Protocol[] = ['h1', 'h2', 'h2c'],
): void {
  for (const protocol of protocols)
    void test(`${name} (${protocol})`, { timeout: PATIENCE, context: { protocol } satisfies Context }, (t) =>
      scenario(t, protocol),
    )
}

/** An answer of the gateway's own: RFC 9457, with our members, and nothing of what lies behind. */
export function isProblem(t: Test, response: ClientResponse, status: number): void {
  const type = response.get('content-type') ?? ''
  const text = response.body.toString()
  if (response.status !== status || !/^application\/problem\+json\b/.test(type)) {
    t.fail(`expected a problem of status ${status}, got ${response.status} ${type} ${text.slice(0, 200)}`)
    return
  }
  const members = { type: String, title: String, code: /^HR_[A-Z0-9_]+$/, detail: String, requestId: String }
  t.match(JSON.parse(text), { status, ...members })
  t.notMatch(
    text,
    /127\.0\.0\.1|localhost|ECONN|ENOTFOUND|UND_ERR|HPE_|node_modules|\.ts:\d/,
    'no address, no internals',
  )
}

/** A port that takes connections and never reads or answers: what a connect timeout (of TLS) is for. */
export async function silentPort(t: Test): Promise<number> {
  const sockets = new Set<{ destroy(): void }>()
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    socket.on('error', () => undefined) // the gateway gives up: that is the point
    sockets.add(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}
