import cluster from 'node:cluster'
import type { Test } from 'tap'
import { loadConfig } from '../config/load.ts'
import { type Running, serve } from '../server.ts'
import { connectRaw } from './raw-client.ts'
import { type Play, startUpstream, type Upstream } from './upstream-server.ts'

/** Processes are forked and must boot, with up to eight others on the machine. */
export const PATIENCE_MS = 150_000

/** A gateway of two processes before a scripted upstream. */
export interface Cluster {
  running: Running
  upstream: Upstream
  port(kind: string): number
  /** The configuration as it will be found from now on. */
  write(input: Record<string, unknown>): void
  get(path: string, token?: string): Promise<{ status: number; body: string }>
  /** The data-plane processes that answer now. */
  pids(): Promise<number[]>
}

/** Starts it on free ports; it closes with the test. @param input over its configuration */
export async function clustered(
  t: Test,
  input: Record<string, unknown> = {},
  script: Play = (exchange) => exchange.respond(200, [], 'from upstream'),
): Promise<Cluster> {
  // Without the test runner's own loaders, which take longer than all the rest.
  cluster.setupPrimary({ execArgv: [] })
  const upstream = await startUpstream(t, script)
  const cwd = t.testdir()
  let written = input
  const load = () =>
    loadConfig({
      cwd,
      variables: {},
      inline: {
        listen: { port: 0 },
        admin: { port: 0, token: 'secret', rateLimit: false },
        log: { level: 'silent' },
        processes: 2,
        drainTimeout: '40s',
        upstreams: { origin: { targets: [upstream.origin], connections: 3, timeout: { firstByte: '40s' } } },
        routes: { '/*': { to: 'origin' } },
        ...written,
      },
    })
  const loaded = await load()
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  const running = await serve(loaded.config, { source: { loaded, load } })
  t.teardown(() => running.close())
  const port = (kind: string): number => {
    const address = running.addresses.find((candidate) => candidate.kind === kind) ?? running.addresses[0]
    return Number(new URL(address!.url).port)
  }
  const get: Cluster['get'] = async (path, token) => {
    const raw = await connectRaw(t, { port: port(token === undefined ? 'public' : 'admin') })
    const authorization = token === undefined ? '' : `Authorization: Bearer ${token}\r\n`
    const { status, body } = await raw.exchange(
      `GET ${path} HTTP/1.1\r\nHost: gateway.test\r\nConnection: close\r\n${authorization}\r\n`,
    )
    return { status, body: body.toString() }
  }
  const pids = async (): Promise<number[]> =>
    (await running.control.ask('health')).result.processes.map((one) => one.pid).sort((one, other) => one - other)
  const write = (next: Record<string, unknown>): void => {
    written = next
  }
  return { running, upstream, port, get, pids, write }
}
