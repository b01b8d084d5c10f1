import type { Dispatcher } from 'undici'
import type { Clock } from '../clock.ts'
import type { Connection, ConnectionAware } from '../connection.ts'
import { FirstByteTimeoutError } from '../errors.ts'
import { type AttemptError, explain, outcomeOf } from '../outcome.ts'
import type { HealthOptions } from './options.ts'

/** What a target has said, or why it has said nothing. */
export interface CheckResult {
  passed: boolean
  /** Why it has not passed; empty where it has. */
  reason: string
  ms: number
}

/** More is no answer to such a question. */
const MOST_BYTES = 65_536
const AGENT = ['user-agent', 'headrace-health-check']

type Controller = Dispatcher.DispatchController

/**
 * Asks once. An answer counts when its head and all of its body have come in time and in reason, and its status is one of
 * those expected: redirects are not followed, and what never ends, has no end or is no HTTP has not passed. Never rejects.
 *
 * @returns `null` where nothing was asked, because the gateway had nothing left to open a connection with
 * @param connection of the check's own: requests of clients neither wait for it nor keep it waiting
 */
export function checkRequest(
  connection: Dispatcher,
  options: HealthOptions,
  clock: Clock,
): Promise<CheckResult | null> {
  const { promise, resolve } = Promise.withResolvers<CheckResult | null>()
  const { path, host, timeoutMs } = options
  const handler = new CheckHandler(options, clock, resolve)
  connection.dispatch({ path, method: 'GET', headers: host === null ? AGENT : [...AGENT, 'host', host] }, handler)
  const callOff = clock.after(timeoutMs, () => handler.expire())
  void promise.then(callOff)
  return promise
}

class CheckHandler implements Dispatcher.DispatchHandler, ConnectionAware {
  connection: Connection | undefined
  readonly #options: HealthOptions
  readonly #clock: Clock
  readonly #resolve: (result: CheckResult | null) => void
  readonly #startedAt: number
  #controller: Controller | undefined
  #status = 0
  #bytes = 0

  constructor(options: HealthOptions, clock: Clock, resolve: (result: CheckResult | null) => void) {
    this.#options = options
    this.#clock = clock
    this.#resolve = resolve
    this.#startedAt = clock.now()
  }

  expire(): void {
    this.#end('no answer in time')
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller
  }

  onResponseStart(_controller: Controller, status: number): void {
    if (status < 200) return
    this.#status = status
    if (!this.#options.statuses.some(([from, to]) => status >= from && status <= to)) this.#end(`status ${status}`)
  }

  onResponseData(_controller: Controller, chunk: Buffer): void {
    this.#bytes += chunk.length
    if (this.#bytes > MOST_BYTES) this.#end(`an answer of more than ${MOST_BYTES} bytes`)
  }

  onResponseEnd(): void {
    this.#end('')
  }

  onResponseError(_controller: Controller, cause: AttemptError): void {
    const error = explain(cause, this.connection, 'health check')
    const phase = this.#controller === undefined ? 'waiting' : this.#status === 0 ? 'sent' : 'receiving'
    const outcome = outcomeOf(error, phase)
    if (outcome === 'out_of_resources') this.#resolve(null)
    else this.#end(`${outcome} ${error.code ?? error.name}`)
  }

  /** @param reason empty where it has passed; the rest of an answer that has not is not waited for */
  #end(reason: string): void {
    this.#resolve({ passed: reason === '', reason, ms: this.#clock.now() - this.#startedAt })
    if (reason !== '') this.#controller?.abort(new FirstByteTimeoutError('health check'))
  }
}
