import cluster, { type Worker } from 'node:cluster'
import { CALL_DEADLINE_MS, Channel } from './channel.ts'
import { ClusterControl, type Member } from './cluster-control.ts'
import type { CommandName, ControlCommands } from './commands.ts'
import type { ArgsOf, Control } from './control.ts'
import { BootError, ClosedError } from './errors.ts'
import type { CommandHandlers } from './local.ts'
import type { ControlQueries, QueryName } from './queries.ts'
import { DEFAULT_RESTARTS, type RestartOptions, RestartPolicy } from './restart-policy.ts'

/** A process has its own drain deadline; the supervisor ends it this much later, should it hang. */
const DRAIN_GRACE_MS = 1_000

export interface SupervisorOptions {
  /** Data-plane processes to keep running. */
  processes: number
  /** Their entry: a module that calls `attachProcess`. */
  exec: string
  args: readonly string[]
  /** Added to the environment they inherit. */
  env: Readonly<Record<string, string>>
  /** Cloneable; what each process gets from `link.boot()`, a replacement too: the same configuration for all. */
  boot: unknown
  drainTimeoutMs: number
  log: Record<'info' | 'warn' | 'error', (details: object, message: string) => void>
  restart?: RestartOptions
  /** Commands that this process obeys besides those that it supervises. */
  obey?: CommandHandlers
}

export interface Supervisor {
  control: Control
  /** Resolves when every process is ready. @throws BootError where one ended before; then the others are ended. @throws ClosedError */
  ready: Promise<void>
  /** Resolves when no process is left, after `close()` or a signal. */
  closed: Promise<void>
  /** Drains every process and ends those that are not done by the deadline. A second call ends them at once. */
  close(): Promise<void>
}

/** One place among 1…n, and the process that holds it now. */
interface Slot extends Member {
  worker: Worker | null
  channel: Channel | null
  readyAt: number | null
  policy: RestartPolicy
  restart: NodeJS.Timeout | null
}

/**
 * Forks data-plane processes that share their listening sockets (`SCHED_NONE`: the kernel distributes connections), keeps
 * them running, and answers for all of them. SIGTERM and SIGINT drain them; a second signal ends them at once.
 *
 * One per process: node:cluster is a singleton.
 */
export function startSupervisor(options: SupervisorOptions): Supervisor {
  return new ClusterSupervisor(options)
}

class ClusterSupervisor implements Supervisor {
  readonly control: ClusterControl
  readonly ready: Promise<void>
  readonly closed: Promise<void>
  readonly #options: SupervisorOptions
  readonly #slots: Slot[]
  readonly #ready = Promise.withResolvers<void>()
  readonly #closed = Promise.withResolvers<void>()
  readonly #onSignal = (signal: NodeJS.Signals): void => {
    this.#options.log.info({ signal }, this.#closing ? 'Ending at once' : 'Draining')
    void this.close()
  }
  #booting = true
  #closing = false
  #deadline: NodeJS.Timeout | null = null

  constructor(options: SupervisorOptions) {
    this.#options = options
    this.ready = this.#ready.promise
    this.closed = this.#closed.promise
    // Whoever does not wait for `ready` learns from `closed` that it is over.
    this.ready.catch(() => {})
    this.control = new ClusterControl({
      members: () => this.#slots,
      deadlineMs: CALL_DEADLINE_MS,
      obey: options.obey ?? {},
    })
    this.#slots = Array.from({ length: options.processes }, (_, index) => ({
      process: index + 1,
      id: 0,
      pid: null,
      call: null,
      worker: null,
      channel: null,
      readyAt: null,
      policy: new RestartPolicy(options.restart ?? DEFAULT_RESTARTS),
      restart: null,
    }))
    cluster.schedulingPolicy = cluster.SCHED_NONE
    // Structured clone: what JSON cannot say (undefined, Infinity) arrives as it was sent.
    cluster.setupPrimary({ exec: options.exec, args: [...options.args], serialization: 'advanced' })
    process.on('SIGTERM', this.#onSignal)
    process.on('SIGINT', this.#onSignal)
    for (const slot of this.#slots) this.#fork(slot)
  }

  close(): Promise<void> {
    if (this.#closing) {
      for (const { worker } of this.#slots) worker?.process.kill('SIGKILL')
      return this.closed
    }
    this.#closing = true
    this.#ready.reject(new ClosedError())
    for (const slot of this.#slots) {
      if (slot.restart) clearTimeout(slot.restart)
      if (slot.readyAt === null) slot.worker?.process.kill('SIGKILL')
      else slot.channel?.notify('drain')
    }
    this.#deadline = setTimeout(() => {
      const late = this.#slots.filter(({ worker }) => worker !== null)
      this.#options.log.warn({ processes: late.map(({ pid }) => pid) }, 'Ended before they had drained')
      for (const { worker } of late) worker?.process.kill('SIGKILL')
    }, this.#options.drainTimeoutMs + DRAIN_GRACE_MS)
    this.#finishWhenEmpty()
    return this.closed
  }

  #fork(slot: Slot): void {
    const worker = cluster.fork(this.#options.env)
    const channel = new Channel({
      send: (message, failed) => worker.process.send(message as object, (error) => error && failed(error)),
      serve: (name, args) => this.#serve(name, args),
      notice: (name) => {
        if (name === 'ready') void this.#joined(slot, worker)
      },
    })
    Object.assign(slot, {
      worker,
      channel,
      id: worker.id,
      pid: worker.process.pid ?? null,
      readyAt: null,
      restart: null,
    })
    worker.on('message', (message) => channel.receive(message))
    worker.once('exit', (code, signal) => this.#left(slot, worker, signal ?? `code ${code}`))
    worker.on('error', (error) => {
      // A fork that the system refused has no pid, and no exit event.
      if (worker.process.pid === undefined) this.#left(slot, worker, error.message)
      else this.#options.log.error({ err: error, process: slot.process }, 'A process cannot be reached')
    })
  }

  async #joined(slot: Slot, worker: Worker): Promise<void> {
    const { channel } = slot
    if (!channel || slot.worker !== worker) return
    slot.readyAt = performance.now()
    slot.call = (name, args, deadlineMs) => channel.call(name, args, deadlineMs)
    if (this.#closing) channel.notify('drain')
    // Not `pid`: that is this process's own in every line of the log.
    this.#options.log.info({ process: slot.process, processPid: slot.pid }, 'Process ready')
    if (this.#booting && this.#slots.every(({ readyAt }) => readyAt !== null)) {
      this.#booting = false
      this.#ready.resolve()
    }
    try {
      await this.control.joined(slot)
    } catch (error) {
      this.#options.log.error(
        { err: error, process: slot.process },
        'A new process has not taken over the last commands',
      )
    }
  }

  #left(slot: Slot, worker: Worker, how: string): void {
    if (slot.worker !== worker) return
    const { log } = this.#options
    const ranMs = slot.readyAt === null ? 0 : performance.now() - slot.readyAt
    slot.channel?.close()
    Object.assign(slot, { worker: null, channel: null, call: null, pid: null, readyAt: null })
    if (this.#closing) {
      this.#finishWhenEmpty()
      return
    }
    if (this.#booting) {
      this.#ready.reject(new BootError(slot.process, how))
      // A rejected `ready` tells why; what is left of the others has served nobody.
      for (const other of this.#slots) other.worker?.process.kill('SIGKILL')
      void this.close()
      return
    }
    const delayMs = slot.policy.delayAfter(ranMs)
    log.warn({ process: slot.process, how, ranMs: Math.round(ranMs), delayMs }, 'Process ended; starting another')
    slot.restart = setTimeout(() => this.#fork(slot), delayMs)
  }

  async #serve(name: string, args: unknown[]): Promise<unknown> {
    if (name === 'boot') return this.#options.boot
    // A process runs the same release: what it sends is what the types say.
    const [what, own] = args as [QueryName | CommandName, unknown[]]
    return name === 'ask'
      ? this.control.ask(what as QueryName, ...(own as ArgsOf<ControlQueries[QueryName]['args']>))
      : this.control.tell(what as CommandName, ...(own as ArgsOf<ControlCommands[CommandName]>))
  }

  #finishWhenEmpty(): void {
    if (this.#slots.some(({ worker }) => worker !== null)) return
    if (this.#deadline) clearTimeout(this.#deadline)
    process.off('SIGTERM', this.#onSignal)
    process.off('SIGINT', this.#onSignal)
    this.#closed.resolve()
  }
}
