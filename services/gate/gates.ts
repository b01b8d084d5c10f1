import type { Exchange } from '../downstream/exchange.ts'
import type { GatewayError } from '../http/problem.ts'
import { GATE_STEPS, type Gate, type GateMaker, type Verdict } from './gate.ts'

/** The gates of one route, in their order. */
export class Gates {
  readonly list: readonly Gate[]
  /** All that they do is to turn away what there is no room for. */
  readonly shed: boolean
  /** One can be asked of a request whose head alone was read, at the socket. */
  readonly early: boolean
  readonly #finishing: boolean

  /** @param list in any order; of one step, in the order given */
  constructor(list: readonly Gate[]) {
    this.list = GATE_STEPS.flatMap((step) => list.filter((gate) => gate.step === step))
    this.shed = this.list.every(({ sheds }) => sheds === true)
    const first = this.list.find(({ step }) => step !== 'dress')
    this.early = first?.early !== undefined
    this.#finishing = list.some((gate) => gate.finish !== undefined)
  }

  /**
   * Asks the one that has an early face, and those ahead of it, which refuse nobody. Nothing of what it does to an exchange
   * that passes is to be kept: the request that its head becomes is another one.
   */
  checkEarly(exchange: Exchange): GatewayError | undefined {
    const { list } = this
    for (let i = 0; i < list.length; i++) {
      const gate = list[i] as Gate
      if (gate.early === undefined) {
        void gate.check(exchange)
        exchange.gates++
        continue
      }
      const refusal = gate.early(exchange)
      if (refusal !== undefined) deny(exchange, gate, refusal)
      return refusal
    }
    return undefined
  }

  /** Asks one after the other. `exchange.gates` tells how many have let it pass, `exchange.denied` which has not. */
  check(exchange: Exchange): Verdict | Promise<Verdict> {
    const { list } = this
    for (let i = exchange.gates; i < list.length; i++) {
      const gate = list[i] as Gate
      // It was asked at the socket.
      if (exchange.early && gate.early !== undefined) {
        exchange.gates++
        continue
      }
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
    if (exchange.finished) {
      // Its client has left meanwhile: it is nobody's, and costs nobody's allowance. The others have heard of its end.
      if (verdict === undefined) gate.finish?.(exchange)
      return undefined
    }
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
