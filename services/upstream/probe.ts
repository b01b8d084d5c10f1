import type { Dispatcher } from 'undici'
import type { Deadline, Deadlines } from './deadlines.ts'
import { ConnectTimeoutError, FirstByteTimeoutError } from './errors.ts'
import { type AttemptError, explain, outcomeOf } from './outcome.ts'
import type { Outcome } from './snapshot.ts'
import type { Connection, ConnectionAware } from './connection.ts'
import type { Target } from './target.ts'

/** How long what a probe found is believed. */
const REMEMBER_MS = 1_000

export interface ProberOptions {
  deadlines: Deadlines
  /** Milliseconds until a target that does not answer counts as late. */
  limitMs: number
  /** Milliseconds that only grow: the clock of `deadlines`. */
  now?: () => number
}

interface Known {
  /** When it was found out; `Infinity` while that is under way. */
  at: number
  result: Promise<void>
}

/**
 * Finds out whether targets accept connections whose state nobody knows, or that did not at the last attempt. Whoever asks
 * while a probe is under way shares it, and for a second its result: a target that hangs is not waited for again and again.
 */
export class Prober {
  readonly #options: ProberOptions
  readonly #now: () => number
  readonly #known = new WeakMap<Target, Known>()

  constructor(options: ProberOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
  }

  /** Resolves when the state of each is known, within the limit. Nothing is asked of targets that are up. */
  async probe(targets: readonly Target[]): Promise<void> {
    await Promise.all(
      targets.filter(({ reached, draining }) => reached !== 'up' && !draining).map((target) => this.#find(target)),
    )
  }

  #find(target: Target): Promise<void> {
    const known = this.#known.get(target)
    if (known !== undefined && this.#now() - known.at < REMEMBER_MS) return known.result
    const { deadlines, limitMs } = this.#options
    const probe = new Probe(target, { deadlines, deadlineAt: this.#now() + limitMs })
    const fresh: Known = { at: Number.POSITIVE_INFINITY, result: probe.result }
    this.#known.set(target, fresh)
    void probe.result.then(() => (fresh.at = this.#now()))
    return probe.result
  }
}

/** One HEAD of `/`, whatever its status. It counts as no attempt. */
class Probe implements Dispatcher.DispatchHandler, Deadline, ConnectionAware {
  readonly result: Promise<void>
  readonly deadlineAt: number
  previous: Deadline | null = null
  next: Deadline | null = null
  connection: Connection | undefined
  readonly #target: Target
  readonly #deadlines: Deadlines
  #controller: Dispatcher.DispatchController | undefined
  #resolve: (() => void) | undefined

  constructor(target: Target, { deadlines, deadlineAt }: { deadlines: Deadlines; deadlineAt: number }) {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.result = promise
    this.#resolve = resolve
    this.#target = target
    this.#deadlines = deadlines
    this.deadlineAt = deadlineAt
    deadlines.add(this)
    target.pool.dispatch({ path: '/', method: 'HEAD' }, this)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    // Too late: there is a connection now, and the next probe will find it.
    if (this.#resolve === undefined) controller.abort(new ConnectTimeoutError(this.#target.upstream))
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    if (status >= 200) this.#end('response', '')
  }

  onResponseData(): void {
    // undici wants the method; the answer to a HEAD has no body.
  }

  onResponseEnd(): void {
    // Known since the head.
  }

  onResponseError(_controller: Dispatcher.DispatchController, cause: AttemptError): void {
    const error = explain(cause, this.connection, this.#target.upstream)
    this.#end(outcomeOf(error, this.#controller === undefined ? 'waiting' : 'sent'), error.code ?? error.name)
  }

  expire(): void {
    // In a pool whose connections are all taken a request waits as well: that is not the target's refusal.
    const isConnected = this.#controller !== undefined || this.#target.pool.stats.connected > 0
    this.#end(isConnected ? 'first_byte_timeout' : 'connect_timeout', '')
    this.#controller?.abort(new FirstByteTimeoutError(this.#target.upstream))
  }

  #end(outcome: Outcome, code: string): void {
    if (this.#resolve === undefined) return
    this.#deadlines.remove(this)
    this.#target.probed(outcome, code === '' ? outcome : code)
    this.#resolve()
    this.#resolve = undefined
  }
}
