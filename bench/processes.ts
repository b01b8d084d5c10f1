/** The processes of a run: each on the core it is told, none left behind. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Announcement } from './peers/peer.ts'

const START_TIMEOUT_MS = 20_000
/** A cache of files takes its time to remove. */
const STOP_TIMEOUT_MS = 15_000

/** Which core the contenders run on, and which the load and the origin. */
export interface Cores {
  contender: number
  load: number
}

/** Two cores that this process may use, or why there is no pinning. */
export function findCores(): Cores | { unpinned: string } {
  if (process.platform !== 'linux' || spawnSync('taskset', ['--version']).status !== 0) {
    return { unpinned: 'there is no taskset here: nothing is pinned to a core, so expect more noise' }
  }
  const allowed = /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? ''
  const cores = allowed.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, i) => first + i)
  })
  const [contender, load] = cores
  if (contender === undefined || load === undefined) {
    return { unpinned: 'there is one core only: load and contender share it, so expect more noise' }
  }
  return { contender, load }
}

/** A process of the run that has announced itself. */
export class Child {
  readonly #process: ChildProcess
  readonly #name: string
  announcement: Announcement = { unavailable: 'it has not started' }

  constructor(name: string, process: ChildProcess) {
    this.#name = name
    this.#process = process
  }

  /** The next message of the process. @throws when it ends first, or after the timeout */
  next<Message>(timeoutMs: number): Promise<Message> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        clearTimeout(timer)
        this.#process.off('message', onMessage).off('exit', onExit).off('error', onError)
        act()
      }
      const fail = (reason: string, cause?: unknown): void =>
        settle(() => reject(new Error(`${this.#name} ${reason}`, { cause })))
      const onMessage = (message: unknown): void => settle(() => resolve(message as Message))
      const onExit = (code: number | null, signal: string | null): void => fail(`ended (${signal ?? `code ${code}`})`)
      const onError = (error: Error): void => fail('could not be started', error)
      const timer = setTimeout(() => fail(`said nothing for ${timeoutMs / 1000} s`), timeoutMs)
      this.#process.on('message', onMessage).on('exit', onExit).on('error', onError)
    })
  }

  /** Sends one message and waits for its answer. */
  ask<Answer>(message: object, timeoutMs: number): Promise<Answer> {
    const answer = this.next<Answer>(timeoutMs)
    this.#process.send(message)
    return answer
  }

  /** Resolves once the process is gone; what ignores SIGTERM is killed. */
  stop(): Promise<void> {
    const child = this.#process
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
      child.once('exit', () => {
        clearTimeout(timer)
        resolve()
      })
      child.kill('SIGTERM')
    })
  }
}

/** Starts processes and stops them all when it is disposed. */
export class Processes {
  readonly #children: Child[] = []
  #ended = false

  /**
   * Starts a script of this folder and waits for its announcement. Its standard output is thrown away (a contender's
   * access log goes there, as to /dev/null); its errors are shown.
   */
  async start(name: string, script: string, args: readonly string[], core: number | null): Promise<Child> {
    if (this.#ended) throw new Error(`${name} is not started: the run ends`)
    const command = [process.execPath, fileURLToPath(new URL(script, import.meta.url)), ...args]
    // taskset replaces itself by the command: the process id and the IPC channel stay.
    const [file = '', ...rest] = core === null ? command : ['taskset', '-c', String(core), ...command]
    const child = new Child(name, spawn(file, rest, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }))
    this.#children.push(child)
    child.announcement = await child.next<Announcement>(START_TIMEOUT_MS)
    return child
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true
    await Promise.all(this.#children.map((child) => child.stop()))
  }
}
