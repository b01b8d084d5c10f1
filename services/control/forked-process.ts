import cluster, { type Worker } from 'node:cluster'
import { Channel } from './channel.ts'
import { BootError, RemoteError } from './errors.ts'
import type { ProcessFailure } from './process.ts'

/** How a process came to its end. */
export interface Ended {
  /** `code 1`, `SIGKILL`, or what the system said. */
  how: string
  /** How long it had been serving; 0 if it never was. */
  ranMs: number
  /** What it said that it cannot start for. */
  failure: ProcessFailure | null
}

/**
 * What a process answers, inside Node, that a connection was handed to and did not get it, as it had no file descriptor left
 * (child_process.js). node:cluster goes on to wait for its word on that connection, and hands it no other.
 */
const NOT_RECEIVED = 'NODE_HANDLE_NACK'

export interface ForkOptions {
  /** Added to the environment that it inherits. */
  env: Readonly<Record<string, string>>
  /** Cloneable; what it gets from `link.boot()`. */
  boot: unknown
  /** Its place, for messages. */
  process: number
  /** Answers what it asks beyond its own start. */
  serve(name: string, args: unknown[]): Promise<unknown>
  /** It cannot be reached: a message to it, or from it, has failed. */
  failed(error: Error): void
}

/** One data-plane process, from its fork to its end. It is prepared, then listens once it may, then is ready. */
export class ForkedProcess {
  /** Everything is built and warm; it waits for {@link listen}. Rejects where it ends before. */
  readonly prepared: Promise<void>
  /** It listens. Rejects where it ends before. */
  readonly ready: Promise<void>
  /** It is gone. Never rejects. */
  readonly ended: Promise<Ended>
  /** It gets no connections any more, and answers those that it has. Never rejects. */
  readonly deaf: Promise<void>
  readonly id: number
  readonly pid: number | null
  /** It has asked for its configuration: what it is told from here on arrives. */
  booted = false
  /** `performance.now()` when it was ready. */
  readyAt: number | null = null
  readonly #worker: Worker
  readonly #channel: Channel
  readonly #prepared = Promise.withResolvers<void>()
  readonly #ready = Promise.withResolvers<void>()
  readonly #ended = Promise.withResolvers<Ended>()
  readonly #deaf = Promise.withResolvers<void>()
  readonly #mayListen = Promise.withResolvers<void>()
  readonly #options: ForkOptions
  #failure: ProcessFailure | null = null
  #listens = false
  #over = false

  /** Forks it; `cluster.setupPrimary` has said what. */
  constructor(options: ForkOptions) {
    this.#options = options
    this.prepared = this.#prepared.promise
    this.ready = this.#ready.promise
    this.ended = this.#ended.promise
    this.deaf = this.#deaf.promise
    // Whoever does not wait for these learns it from `ended`.
    this.prepared.catch(() => {})
    this.ready.catch(() => {})
    const worker = cluster.fork(options.env)
    this.#worker = worker
    this.id = worker.id
    this.pid = worker.process.pid ?? null
    this.#channel = new Channel({
      send: (message, failed) => worker.process.send(message as object, (error) => error && failed(error)),
      serve: (name, args) => this.#serve(name, args),
      notice: (name) => {
        if (name === 'ready') this.#isReady()
      },
    })
    worker.on('message', (message) => this.#channel.receive(message))
    worker.process.on('internalMessage', ({ cmd }: { cmd?: string }) => {
      if (cmd === NOT_RECEIVED) this.#deaf.resolve()
    })
    worker.once('exit', (code, signal) => {
      const over = (): void => this.#end(signal ?? `code ${code}`)
      // Until the pipe is closed too, node:cluster counts it among its workers.
      if (worker.isConnected()) worker.once('disconnect', over)
      else over()
    })
    worker.on('error', (error) => {
      // A fork that the system refused has no pid, and no exit event.
      if (worker.process.pid === undefined) this.#end(error.message)
      else options.failed(error)
    })
  }

  get over(): boolean {
    return this.#over
  }

  /** Lets it listen as soon as it is prepared. */
  listen(): void {
    this.#listens = true
    this.#mayListen.resolve()
  }

  /** @throws DeadlineError, DisconnectedError, BusyError, RemoteError */
  call(name: 'ask' | 'tell', args: readonly unknown[], deadlineMs: number): Promise<unknown> {
    return this.#channel.call(name, args, deadlineMs)
  }

  /** Has it answer what is in flight, and end. One that does not listen yet is ended at once. */
  drain(): void {
    if (!this.#listens) this.kill()
    // It may have been given requests before it says that it is ready.
    else void this.ready.then(() => this.#channel.notify('drain')).catch(() => {})
  }

  kill(): void {
    if (!this.#over) this.#worker.process.kill('SIGKILL')
  }

  async #serve(name: string, args: unknown[]): Promise<unknown> {
    switch (name) {
      case 'boot':
        this.booted = true
        return this.#options.boot
      case 'listen':
        this.#prepared.resolve()
        return this.#mayListen.promise
      case 'failed':
        this.#failure = args[0] as ProcessFailure
        return undefined
      default:
        return this.#options.serve(name, args)
    }
  }

  #isReady(): void {
    this.readyAt = performance.now()
    this.#prepared.resolve()
    this.#ready.resolve()
  }

  #end(how: string): void {
    if (this.#over) return
    this.#over = true
    const failure = this.#failure
    const ended = new BootError(this.#options.process, how)
    const error = failure === null ? ended : Object.assign(new RemoteError(failure.message), failure, { cause: ended })
    this.#prepared.reject(error)
    this.#ready.reject(error)
    this.#channel.close()
    this.#ended.resolve({ how, ranMs: this.readyAt === null ? 0 : performance.now() - this.readyAt, failure })
  }
}
