import type { WebSocketCounters } from './counters.ts'
import { Tunnel, type TunnelOptions } from './tunnel.ts'

/** How often it is looked at whether connections are idle, or have to leave. */
const LOOK_EVERY_MS = 250

export interface TunnelsOptions {
  counters: WebSocketCounters
  draining: () => boolean
  now?: () => number
}

/** The WebSocket connections of a gateway. */
export class Tunnels {
  readonly counters: WebSocketCounters
  readonly #draining: () => boolean
  readonly #now: () => number
  /** With the milliseconds after which each is idle, 0 for never. */
  readonly #open = new Map<Tunnel, number>()
  /** How many places are taken on each route. */
  readonly #taken = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined

  constructor(options: TunnelsOptions) {
    this.counters = options.counters
    this.#draining = options.draining
    this.#now = options.now ?? (() => performance.now())
  }

  /**
   * Takes one of a route's places, before its upstream is asked: however many ask at once, no more get open.
   *
   * @param route its key
   * @param places that it has
   * @returns gives it back, once; `undefined` where all are taken
   */
  take(route: string, places: number): (() => void) | undefined {
    const taken = this.#taken.get(route) ?? 0
    if (taken >= places) return undefined
    this.#taken.set(route, taken + 1)
    let isTaken = true
    return () => {
      if (!isTaken) return
      isTaken = false
      const left = (this.#taken.get(route) as number) - 1
      if (left === 0) this.#taken.delete(route)
      else this.#taken.set(route, left)
    }
  }

  /** Begins to pass on what the two ends say. */
  open(options: Omit<TunnelOptions, 'now'> & { idleMs: number }, heads: { client: Buffer; upstream: Buffer }): Tunnel {
    this.counters.open++
    this.counters.opened++
    const tunnel: Tunnel = new Tunnel(
      {
        ...options,
        now: this.#now,
        ended: (how) => {
          this.#open.delete(tunnel)
          if (this.#open.size === 0) this.#stop()
          this.counters.open--
          this.counters.ended[how]++
          options.ended(how)
        },
      },
      heads,
    )
    this.#open.set(tunnel, options.idleMs)
    // It does not keep the process alive, and runs while there is something to look at.
    this.#timer ??= setInterval(() => this.look(), LOOK_EVERY_MS).unref()
    return tunnel
  }

  /** Ends those that are idle, and while draining all. Called by the timer. */
  look(): void {
    const now = this.#now()
    const drains = this.#draining()
    for (const [tunnel, idleMs] of this.#open) {
      if (drains) tunnel.leave('drain', 1001)
      else if (idleMs > 0 && now - tunnel.activeAt >= idleMs) tunnel.leave('idle', 1001)
    }
  }

  /** Ends all at once. */
  close(): void {
    for (const tunnel of this.#open.keys()) tunnel.cut('cut')
    this.#stop()
  }

  #stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
