import type { Exchange } from '../downstream/exchange.ts'
import { GATE_STEPS, type Gate, type GateMaker, type Verdict } from './gate.ts'

/** The gates of one route, in their order. */
export class Gates {
  readonly list: readonly Gate[]
  readonly #finishing: boolean

  /** @param list in any order; of one step, in the order given */
  constructor(list: readonly Gate[]) {
    this.list = GATE_STEPS.flatMap((step) => list.filter((gate) => gate.step === step))
    this.#finishing = list.some((gate) => gate.finish !== undefined)
  }

  /** Asks one after the other. `exchange.gates` tells how many have let it pass, `exchange.denied` which has not. */
  check(exchange: Exchange): Verdict | Promise<Verdict> {
    const { list } = this
    for (let i = exchange.gates; i < list.length; i++) {
      const gate = list[i] as Gate
      const verdict = gate.check(exchange)
      if (verdict instanceof Promise) return this.#wait(exchange, gate, verdict)
      if (verdict !== undefined) return deny(exchange, gate, verdict)
      exchange.gates++
    }
    return undefined
  }

  /** The exchange is over. */
  finish(exchange: Exchange): void {
    if (!this.#finishing) return
    for (let i = 0; i < exchange.gates; i++) this.list[i]?.finish?.(exchange)
  }

  async #wait(exchange: Exchange, gate: Gate, promise: Promise<Verdict>): Promise<Verdict> {
    const verdict = await promise
    if (verdict !== undefined) return deny(exchange, gate, verdict)
    exchange.gates++
    return this.check(exchange)
  }
}

/** @returns `null` for a route without gates, which then pays for none */
export function gatesOf<Route>(route: Route, makers: readonly GateMaker<Route>[]): Gates | null {
  const list = makers.map((make) => make(route)).filter((gate) => gate !== null)
  return list.length === 0 ? null : new Gates(list)
}

function deny(exchange: Exchange, gate: Gate, verdict: Exclude<Verdict, undefined>): Verdict {
  if (verdict instanceof Error) exchange.denied = gate.step
  return verdict
}
