import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import type { Test } from 'tap'
import { RedisLink } from '../services/redis/link.ts'
import { type RedisOptions, resolveRedis } from '../services/redis/options.ts'
import { afterDeath } from './after-death.ts'
import { until } from './until.ts'

/** Why tests with a real Redis cannot run here; `false` where they can. */
export const noRedis: string | false =
  spawnSync('redis-server', ['--version']).error === undefined ? false : 'no redis-server on PATH'

export interface RedisServer {
  port: number
  url: string
  /** Runs redis-cli with these arguments. */
  cli(...args: string[]): Promise<string>
  /** Ends it without warning. */
  kill(): Promise<void>
  /** Starts it again on its port, empty. */
  restart(): Promise<void>
  /** The process stands still, its connections stay. */
  pause(): void
  resume(): void
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** A redis-server of its own, in a folder of its own; it ends with the test. */
export async function startRedis(
  t: Test,
  args: readonly string[] = [],
  how: { /** A sentinel with this configuration, which it writes to. */ sentinel?: string } = {},
): Promise<RedisServer> {
  const port = await freePort()
  // Not the test's own folder: a test may have several servers, and asking for it empties it.
  const directory = await mkdtemp(join(tmpdir(), 'headrace-redis-'))
  const start = (): Promise<ChildProcess> =>
    launch(port, directory, how.sentinel === undefined ? args : [how.sentinel, '--sentinel', ...args])
  let child = await start()
  t.teardown(async () => {
    await end(child)
    await rm(directory, { recursive: true, force: true })
  })
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    cli: (...words) => cli(port, words),
    kill: () => end(child),
    restart: async () => {
      child = await start()
    },
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
  }
}

/** Three masters without replicas. */
export async function startCluster(t: Test): Promise<RedisServer[]> {
  const nodes: { server: RedisServer; bus: number }[] = []
  // One after another: a free port is only free until somebody takes it.
  for (let i = 0; i < 3; i++) {
    const bus = await freePort()
    const args = ['--cluster-enabled', 'yes', '--cluster-config-file', `nodes-${i}.conf`, '--cluster-port', String(bus)]
    nodes.push({ server: await startRedis(t, args), bus })
  }
  const servers = nodes.map(({ server }) => server)
  const [first] = nodes as [{ server: RedisServer; bus: number }]
  for (const [i, server] of servers.entries()) {
    const [from, to] = [Math.ceil((16384 / 3) * i), Math.ceil((16384 / 3) * (i + 1)) - 1]
    await server.cli('CLUSTER', 'ADDSLOTSRANGE', String(from), String(to))
    await server.cli('CLUSTER', 'SET-CONFIG-EPOCH', String(i + 1))
    if (i > 0) await server.cli('CLUSTER', 'MEET', '127.0.0.1', String(first.server.port), String(first.bus))
  }
  // They tell each other a few times a second; each question takes a process of its own.
  for (const { cli } of servers) {
    await until(async () => (await cli('CLUSTER', 'INFO')).includes('cluster_state:ok'), 50)
  }
  return servers
}

/** A link to it, which closes with the test; connected. */
export async function linkTo(t: Test, url: string, given: Partial<RedisOptions> = {}): Promise<RedisLink> {
  const link = new RedisLink({ ...redisOptions(url), ...given })
  t.teardown(() => link.close())
  if (!link.ready) await once(link, 'ready')
  return link
}

/** The options with their defaults. */
export function redisOptions(url: string): RedisOptions {
  const defaults = {
    prefix: 'test',
    maxConnections: 20,
    connectTimeout: '5s',
    commandTimeout: '1s',
    tls: { verify: true },
  }
  return resolveRedis({ url, ...defaults }, (path) => path) as RedisOptions
}

export interface SlowPath {
  url: string
  /** Every byte from now on comes so much later, in both directions. */
  delay(ms: number): void
}

/** A way to a server that can be made slow. */
export async function slowPath(t: Test, port: number): Promise<SlowPath> {
  let delayMs = 0
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      const waiting: Buffer[] = []
      let due = 0
      from.on('data', (bytes: Buffer) => {
        // Never before what came before.
        due = Math.max(due, performance.now() + delayMs)
        waiting.push(bytes)
        setTimeout(() => to.write(waiting.shift() as Buffer), Math.max(0, due - performance.now()))
      })
      from.on('close', () => to.destroy())
      from.on('error', () => to.destroy())
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { port: own } = server.address() as AddressInfo
  return {
    url: `redis://127.0.0.1:${own}`,
    delay: (ms) => {
      delayMs = ms
    },
  }
}

async function launch(port: number, directory: string, args: readonly string[]): Promise<ChildProcess> {
  // A configuration file comes first.
  const [file, ...options] = args[0]?.startsWith('-') === false ? args : ['', ...args]
  const common = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory]
  const store = file === '' ? ['--save', '', '--appendonly', 'no'] : []
  const all = [...(file === '' ? [] : [file as string]), ...common, ...store, ...options]
  const child = spawn('redis-server', all, { stdio: ['ignore', 'pipe', 'inherit'] })
  child.once('exit', afterDeath('kill -9 "$1"', String(child.pid)))
  const ended = once(child, 'exit').then(() => {
    throw new Error('redis-server ended at its start')
  })
  const isReady = (async () => {
    for await (const line of createInterface(child.stdout as NodeJS.ReadableStream)) {
      if (/Ready to accept connections|Sentinel ID is/.test(line)) break
    }
    child.stdout?.resume()
  })()
  await Promise.race([isReady, ended])
  ended.catch(() => {})
  return child
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

async function cli(port: number, words: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('redis-cli', ['-p', String(port), ...words])
  return stdout.trim()
}
