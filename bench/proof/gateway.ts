/** Headrace as people start it: the command line and a configuration file, which a proof may rewrite. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { cpuMicros } from '../cpu-time.ts'
import { childrenOf } from '../peers/process-tree.ts'
import { freePort } from '../ports.ts'

const CLI = fileURLToPath(new URL('../../cli.ts', import.meta.url))
const START_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 40_000
const LOOK_EVERY_MS = 50
const TOKEN = 'proof'

export class Gateway implements AsyncDisposable {
  readonly port: number
  readonly #adminPort: number
  readonly #folder = mkdtempSync(join(tmpdir(), 'headrace-proof-'))
  #process: ChildProcess | null = null
  #errors = ''

  private constructor(port: number, adminPort: number) {
    this.port = port
    this.#adminPort = adminPort
  }

  /**
   * Listens in cleartext, for HTTP/1.1 and HTTP/2, on a port of its own; its log leads nowhere.
   *
   * @param configuration without `listen` and `admin`
   * @param core that it is kept on
   */
  static async start(configuration: object, core: number | null = null): Promise<Gateway> {
    const gateway = new Gateway(await freePort(), await freePort())
    gateway.write(configuration)
    const command = [process.execPath, CLI, 'serve', '--config', gateway.#file]
    const [file = '', ...args] = core === null ? command : ['taskset', '-c', String(core), ...command]
    const child = spawn(file, args, { cwd: gateway.#folder, stdio: ['ignore', 'ignore', 'pipe'] })
    gateway.#process = child
    process.once('exit', gateway.#endAtOnce)
    child.stderr.setEncoding('utf8').on('data', (text: string) => (gateway.#errors += text.slice(0, 10_000)))
    const until = performance.now() + START_TIMEOUT_MS
    while (!(await gateway.#answers())) {
      if (child.exitCode !== null || performance.now() > until) throw new Error(`No gateway: ${gateway.#errors}`)
      await delay(LOOK_EVERY_MS)
    }
    return gateway
  }

  /** However this process ends: none is left behind. Its processes end with it. */
  readonly #endAtOnce = (): void => {
    this.#process?.kill('SIGKILL')
    rmSync(this.#folder, { recursive: true, force: true })
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  get #file(): string {
    return join(this.#folder, 'headrace.config.json')
  }

  get #pid(): number {
    return this.#process?.pid ?? 0
  }

  write(configuration: object): void {
    const text = JSON.stringify({
      listen: { host: '127.0.0.1', port: this.port, h2c: true },
      admin: { port: this.#adminPort, token: TOKEN },
      dataDir: this.#folder,
      log: { level: 'warn' },
      ...configuration,
    })
    writeFileSync(this.#file, text)
  }

  /** Asks the control plane. @throws where it does not answer as it has to */
  async admin(method: 'GET' | 'POST', path: string): Promise<Record<string, unknown>> {
    const answer = await fetch(`http://127.0.0.1:${this.#adminPort}/performance${path}`, {
      method,
      headers: { authorization: `Bearer ${TOKEN}` },
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${path} was answered ${answer.status}: ${text}`)
    return JSON.parse(text) as Record<string, unknown>
  }

  /** The processes that serve. */
  get pids(): number[] {
    const children = childrenOf(this.#pid)
    return children.length === 0 ? [this.#pid] : children
  }

  cpuMicros(pids: readonly number[] = this.pids): number {
    return cpuMicros(pids)
  }

  /** Resident memory of the processes that serve. */
  get memoryBytes(): number {
    return this.pids.reduce((sum, pid) => {
      const kib = /^VmRSS:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
      return sum + Number(kib ?? 0) * 1024
    }, 0)
  }

  /** Once what is left over from what has just been is gone, as far as it goes by itself. */
  async settledMemoryBytes(forMs = 3_000): Promise<number> {
    let least = Number.POSITIVE_INFINITY
    for (const until = performance.now() + forMs; performance.now() < until; await delay(100)) {
      least = Math.min(least, this.memoryBytes)
    }
    return least
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#process
    if (child !== null && child.exitCode === null && child.signalCode === null) {
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      await exited
      clearTimeout(timer)
    }
    process.off('exit', this.#endAtOnce)
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #answers(): Promise<boolean> {
    try {
      await this.admin('GET', '/config')
      return (await fetch(`${this.url}/health`)).ok
    } catch {
      return false // not yet
    }
  }
}
