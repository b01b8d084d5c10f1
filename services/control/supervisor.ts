import cluster from 'node:cluster'
import { CALL_DEADLINE_MS } from './channel.ts'
import { ClusterControl, type CommandTest, type Member } from './cluster-control.ts'
import type { CommandName, ControlCommands } from './commands.ts'
import type { ArgsOf, Control } from './control.ts'
import { BootError, BusyProcessesError, ClosedError, StartTimeoutError } from './errors.ts'
import { type Ended, ForkedProcess } from './forked-process.ts'
import type { LocalControl } from './local.ts'
import type { ControlQueries, QueryName } from './queries.ts'
import { DEFAULT_RESTARTS, type RestartOptions, RestartPolicy } from './restart-policy.ts'

/** A process has its own drain deadline; the supervisor ends it this much later, should it hang. */
const DRAIN_GRACE_MS = 1_000
/** For a process that takes the place of another: to boot, to warm up, to listen. */
const START_TIMEOUT_MS = 60_000

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
  /** For tests: how long a process that takes the place of another may need. */
  startTimeoutMs?: number
  /** What this process, which supervises, answers and obeys itself. */
  own?: LocalControl
}

/** What takes the place of what runs. */
export interface Replacement {
  boot: unknown
  processes: number
  drainTimeoutMs: number
  /** Commands of the past that do not hold for the new processes. */
  forget?: CommandTest
}

export interface Supervisor {
  control: Control
  /** Processes that ended by themselves and were started again. */
  readonly restarts: number
  /**
   * Resolves when every process is ready. Where one cannot start, the others are ended.
   *
   * @throws what a process said it failed with (its code and message); BootError where it ended without a word; ClosedError
   */
  ready: Promise<void>
  /** Resolves when no process is left, after `close()` or `kill()`. */
  closed: Promise<void>
  /**
   * Starts other processes; once all are prepared they listen, and once all listen the old ones drain. Until then, and
   * where one of them fails, the old ones go on as if nothing had happened.
   *
   * @throws what the first that failed said; StartTimeoutError, BusyProcessesError, ClosedError
   */
  replace(replacement: Replacement): Promise<void>
  /**
   * Replaces one process after another by its like: the next when the last is gone.
   *
   * @param progress told how many have been replaced
   * @throws as {@link replace}; those replaced until then stay
   */
  roll(progress: (replaced: number) => void): Promise<void>
  /** Drains every process and ends those that are not done by the deadline. Further calls wait for the same end. */
  close(): Promise<void>
  /** Ends every process at once. */
  kill(): Promise<void>
}

/** One place among 1…n, and the process that holds it now. */
interface Slot {
  process: number
  current: ForkedProcess | null
  policy: RestartPolicy
  restart: NodeJS.Timeout | null
}

/**
 * Forks data-plane processes, hands them connections in turn (`SCHED_RR`: left to the kernel, one of two got up to 64 % of 64
 * connections that stay, and was full first), keeps them running, replaces them, and answers for all of them. None outlives
 * this process, however it ends. Signals are its caller's.
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
  restarts = 0
  readonly #options: SupervisorOptions
  #boot: unknown
  #drainTimeoutMs: number
  #slots: Slot[]
  /** Those that no slot holds: they start to take one over, or drain. */
  readonly #others = new Set<ForkedProcess>()
  readonly #ready = Promise.withResolvers<void>()
  readonly #closed = Promise.withResolvers<void>()
  /** By itself a process notices only when its event loop turns, and one that hangs never. */
  readonly #onExit = (): void => this.#killAll()
  #booting = true
  #replacing = false
  #closing = false
  #deadline: NodeJS.Timeout | null = null

  constructor(options: SupervisorOptions) {
    this.#options = options
    this.#boot = options.boot
    this.#drainTimeoutMs = options.drainTimeoutMs
    this.ready = this.#ready.promise
    this.closed = this.#closed.promise
    // Whoever does not wait for `ready` learns from `closed` that it is over.
    this.ready.catch(() => {})
    this.control = new ClusterControl({
      members: () => this.#slots.map(memberOf),
      leaving: () =>
        [...this.#others]
          .filter(({ readyAt }) => readyAt !== null)
          .map((left) => memberOf({ process: 0, current: left })),
      starting: () =>
        this.#running()
          .filter(({ booted, readyAt }) => booted && readyAt === null)
          .map(callable),
      deadlineMs: CALL_DEADLINE_MS,
      ...(options.own && { own: options.own }),
    })
    cluster.schedulingPolicy = cluster.SCHED_RR
    // Structured clone: what JSON cannot say (undefined, Infinity) arrives as it was sent.
    cluster.setupPrimary({ exec: options.exec, args: [...options.args], serialization: 'advanced' })
    process.on('exit', this.#onExit)
    this.#slots = this.#emptySlots(options.processes)
    for (const slot of this.#slots) this.#keep(slot)
  }

  replace({ boot, processes, drainTimeoutMs, forget }: Replacement): Promise<void> {
    return this.#exclusively(async () => {
      const slots = this.#emptySlots(processes)
      const fresh = slots.map(({ process }) => this.#fork(process, boot))
      await this.#start(fresh, forget)
      if (forget) this.control.forget(forget)
      this.#boot = boot
      const before = this.#slots
      this.#slots = slots
      for (const [index, slot] of slots.entries()) this.#install(slot, fresh[index] as ForkedProcess)
      for (const slot of before) this.#vacate(slot)
      // Those on their way out have the time that they were started with.
      this.#drainTimeoutMs = drainTimeoutMs
    })
  }

  roll(progress: (replaced: number) => void): Promise<void> {
    return this.#exclusively(async () => {
      for (const [index, slot] of this.#slots.entries()) {
        const fresh = this.#fork(slot.process, this.#boot)
        await this.#start([fresh])
        const old = this.#vacate(slot)
        this.#install(slot, fresh)
        progress(index + 1)
        await old?.ended
        if (this.#closing) throw new ClosedError()
      }
    })
  }

  close(): Promise<void> {
    if (this.#closing) return this.closed
    this.#closing = true
    this.#ready.reject(new ClosedError())
    for (const { restart } of this.#slots) if (restart) clearTimeout(restart)
    for (const one of this.#running()) {
      if (one.readyAt === null) one.kill()
      else one.drain()
    }
    this.#deadline = setTimeout(() => {
      this.#options.log.warn({ processes: this.#running().map(({ pid }) => pid) }, 'Ended before they had drained')
      this.#killAll()
    }, this.#drainTimeoutMs + DRAIN_GRACE_MS)
    this.#finishWhenEmpty()
    return this.closed
  }

  kill(): Promise<void> {
    this.#killAll()
    return this.close()
  }

  #emptySlots(processes: number): Slot[] {
    return Array.from({ length: processes }, (_, index) => ({
      process: index + 1,
      current: null,
      policy: new RestartPolicy(this.#options.restart ?? DEFAULT_RESTARTS),
      restart: null,
    }))
  }

  #fork(process: number, boot: unknown): ForkedProcess {
    const { env, log } = this.#options
    const forked: ForkedProcess = new ForkedProcess({
      env,
      boot,
      process,
      serve: (name, args) => this.#serve(forked, name, args),
      failed: (error) => log.error({ err: error, process }, 'A process cannot be reached'),
    })
    void forked.ready.then(
      () => {
        // Not `pid`: that is this process's own in every line of the log.
        log.info({ process, processPid: forked.pid }, 'Process ready')
        if (this.#closing) forked.drain()
      },
      () => {},
    )
    return forked
  }

  /** Starts a process in an empty slot, for the first time or after its last one has ended. */
  #keep(slot: Slot): void {
    slot.restart = null
    const forked = this.#fork(slot.process, this.#boot)
    this.#install(slot, forked)
    void this.#admit([forked])
    void forked.ready.then(
      () => this.#isComplete(),
      (error: unknown) => this.#failedToStart(error),
    )
  }

  /** A rejected `ready` tells why; what is left of the others has served nobody. */
  #failedToStart(error: unknown): void {
    if (!this.#booting || this.#closing) return
    this.#ready.reject(error)
    void this.kill()
  }

  #isComplete(): void {
    if (!this.#booting || !this.#slots.every(({ current }) => (current?.readyAt ?? null) !== null)) return
    this.#booting = false
    this.#ready.resolve()
  }

  /**
   * Lets processes listen once all of them are prepared and have the lasting commands of the past, but those that do not
   * hold for them: a route in maintenance is never open in one that has just started. Those that end before are passed over.
   */
  async #admit(fresh: readonly ForkedProcess[], except?: CommandTest): Promise<void> {
    await Promise.allSettled(fresh.map(({ prepared }) => prepared))
    await Promise.all(
      fresh.map((one) =>
        this.control.joined(callable(one), except).catch((error: unknown) => {
          const { pid } = one
          if (!one.over)
            this.#options.log.error(
              { err: error, processPid: pid },
              'A new process has not taken over the last commands',
            )
        }),
      ),
    )
    for (const one of fresh) one.listen()
  }

  /** Gives a slot to a process, and it another one when that has ended. */
  #install(slot: Slot, forked: ForkedProcess): void {
    slot.current = forked
    void forked.ended.then((ended) => {
      if (slot.current !== forked) return
      slot.current = null
      this.#lost(slot, ended)
    })
    void forked.deaf.then(() => {
      if (slot.current !== forked || this.#closing) return
      this.#vacate(slot)
      const ranMs = forked.readyAt === null ? 0 : performance.now() - forked.readyAt
      this.#refill(slot, { ranMs, said: 'Process has no file descriptor left for connections; starting another' })
    })
  }

  /** Takes its process from a slot, and drains it. @returns the process */
  #vacate(slot: Slot): ForkedProcess | null {
    const { current, restart } = slot
    if (restart) clearTimeout(restart)
    Object.assign(slot, { current: null, restart: null })
    if (current) {
      this.#setAside(current)
      this.#dismiss(current)
    }
    return current
  }

  /** Counts a process among those that no slot holds, until it ends. */
  #setAside(forked: ForkedProcess): void {
    this.#others.add(forked)
    void forked.ended.then(() => {
      this.#others.delete(forked)
      this.#finishWhenEmpty()
    })
  }

  #dismiss(forked: ForkedProcess): void {
    forked.drain()
    const deadline = setTimeout(() => {
      this.#options.log.warn({ processes: [forked.pid] }, 'Ended before they had drained')
      forked.kill()
    }, this.#drainTimeoutMs + DRAIN_GRACE_MS)
    void forked.ended.then(() => clearTimeout(deadline))
  }

  /** Starts processes beside those that run, all of them or none. @param except commands that do not hold for them */
  async #start(fresh: readonly ForkedProcess[], except?: CommandTest): Promise<void> {
    for (const one of fresh) this.#setAside(one)
    const { startTimeoutMs = START_TIMEOUT_MS } = this.#options
    const late = Promise.withResolvers<never>()
    const timer = setTimeout(() => late.reject(new StartTimeoutError(startTimeoutMs)), startTimeoutMs)
    try {
      await Promise.race([Promise.all(fresh.map(({ prepared }) => prepared)), late.promise])
      await this.#admit(fresh, except)
      await Promise.race([Promise.all(fresh.map(({ ready }) => ready)), late.promise])
      if (this.#closing) throw new ClosedError()
    } catch (error) {
      // One that listens already may have been given requests.
      for (const one of fresh) this.#dismiss(one)
      throw this.#closing ? new ClosedError() : error
    } finally {
      clearTimeout(timer)
    }
    for (const one of fresh) this.#others.delete(one)
  }

  async #exclusively(work: () => Promise<void>): Promise<void> {
    await this.ready
    if (this.#closing) throw new ClosedError()
    if (this.#replacing) throw new BusyProcessesError()
    this.#replacing = true
    try {
      await work()
    } finally {
      this.#replacing = false
    }
  }

  #lost(slot: Slot, { how, ranMs, failure }: Ended): void {
    if (this.#closing) {
      this.#finishWhenEmpty()
      return
    }
    if (this.#booting) {
      this.#failedToStart(new BootError(slot.process, how))
      return
    }
    const reason = failure === null ? how : failure.message
    this.#refill(slot, { ranMs, reason, said: 'Process ended; starting another' })
  }

  /** Starts another process in an empty slot, the later the sooner its last ones were lost. */
  #refill(slot: Slot, { ranMs, said, ...why }: { ranMs: number; said: string; reason?: string }): void {
    this.restarts++
    const delayMs = slot.policy.delayAfter(ranMs)
    this.#options.log.warn({ process: slot.process, ...why, ranMs: Math.round(ranMs), delayMs }, said)
    slot.restart = setTimeout(() => this.#keep(slot), delayMs)
  }

  /** Every process that is not gone. */
  #running(): ForkedProcess[] {
    return [...this.#slots.flatMap(({ current }) => current ?? []), ...this.#others]
  }

  #killAll(): void {
    for (const one of this.#running()) one.kill()
  }

  async #serve(forked: ForkedProcess, name: string, args: unknown[]): Promise<unknown> {
    if (name === 'farewell') {
      this.control.farewell(forked.id, args[0] as [QueryName, unknown][])
      return undefined
    }
    // A process runs the same release: what it sends is what the types say.
    const [what, own] = args as [QueryName | CommandName, unknown[]]
    return name === 'ask'
      ? this.control.ask(what as QueryName, ...(own as ArgsOf<ControlQueries[QueryName]['args']>))
      : this.control.tell(what as CommandName, ...(own as ArgsOf<ControlCommands[CommandName]>))
  }

  #finishWhenEmpty(): void {
    if (!this.#closing || this.#running().length > 0) return
    if (this.#deadline) clearTimeout(this.#deadline)
    process.off('exit', this.#onExit)
    this.#closed.resolve()
  }
}

/** A place as the control port sees it. */
function memberOf({ process, current }: Pick<Slot, 'process' | 'current'>): Member {
  const isReady = current !== null && current.readyAt !== null && !current.over
  return isReady
    ? { ...callable(current), process }
    : { process, id: current?.id ?? 0, pid: current?.pid ?? null, call: null }
}

/** A process without its place. */
function callable(forked: ForkedProcess): Member {
  const { id, pid } = forked
  return { process: 0, id, pid, call: (name, args, deadlineMs) => forked.call(name, args, deadlineMs) }
}
