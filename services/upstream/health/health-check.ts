import type { Dispatcher } from 'undici'
import type { Clock } from '../clock.ts'
import { type CheckResult, checkRequest } from './check-request.ts'
import type { HealthOptions } from './options.ts'

export interface HealthCheckParts {
  clock: Clock
  /** 0…1, without 1. */
  random: () => number
  /** A new connection, which opens itself. */
  connect: () => Dispatcher
  /** The target was found well, or not. */
  changed: (healthy: boolean, reason: string) => void
}

/** Share of the interval by which it is longer or shorter, so that many gateways do not ask at once. */
const JITTER = 0.1

/** Asks one target again and again whether it is well. The first answer decides; later ones by how many agree in a row. */
export class HealthCheck {
  passed = 0
  failed = 0
  /** `undefined` until the first answer. */
  healthy: boolean | undefined
  last: (CheckResult & { at: number }) | null = null
  /** Resolves with the first answer. */
  readonly first: Promise<void>
  readonly #options: HealthOptions
  readonly #parts: HealthCheckParts
  #connection: Dispatcher | undefined
  #inRow = 0
  #callOff: (() => void) | undefined
  #closed = false

  constructor(options: HealthOptions, parts: HealthCheckParts) {
    this.#options = options
    this.#parts = parts
    this.first = this.#check()
  }

  close(): void {
    this.#closed = true
    this.#callOff?.()
    void this.#connection?.destroy()
  }

  async #check(): Promise<void> {
    const { clock, random, connect } = this.#parts
    this.#connection ??= connect()
    const result = await checkRequest(this.#connection, this.#options, clock)
    if (result?.passed !== true) {
      // Something may still wait on it, or come.
      void this.#connection.destroy()
      this.#connection = undefined
    }
    if (this.#closed) return
    if (result !== null) this.#learn(result)
    const wait = this.#options.intervalMs * (1 - JITTER + 2 * JITTER * random())
    this.#callOff = clock.after(wait, () => void this.#check())
  }

  #learn(result: CheckResult): void {
    const { passed, reason } = result
    if (passed) this.passed++
    else this.failed++
    this.#inRow = this.last?.passed === passed ? this.#inRow + 1 : 1
    this.last = { ...result, at: Date.now() }
    const { healthyAfter, unhealthyAfter } = this.#options
    const needed = this.healthy === undefined ? 1 : passed ? healthyAfter : unhealthyAfter
    if (this.healthy === passed || this.#inRow < needed) return
    this.healthy = passed
    this.#parts.changed(passed, reason)
  }
}
