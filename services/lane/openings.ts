import type { UpgradingClient } from '../downstream/upgrading-client.ts'
import type { GatewayError } from '../http/problem.ts'
import { fieldOf } from '../http/request-fields.ts'
import type { RoutePlan } from '../proxy/plan.ts'
import type { ProxyContext } from '../proxy/proxy-context.ts'
import { UpgradeCall } from '../proxy/upgrade-call.ts'
import { OriginError, UpgradeError, WebSocketLimitError } from '../websocket/errors.ts'
import { readOffer } from '../websocket/handshake.ts'
import { mayConnect } from '../websocket/origin.ts'
import type { Tunnels } from '../websocket/tunnels.ts'
import type { GatewayExchange } from './exchanges.ts'
import type { Passage } from './passage.ts'

export interface OpeningsOptions {
  tunnels: Tunnels
  context: ProxyContext
  passage: Passage
  /** The route that serves it, or why none does. */
  route: (exchange: GatewayExchange) => RoutePlan | GatewayError
}

/** A client that asks for WebSocket on a route. */
interface Opening {
  exchange: GatewayExchange
  plan: RoutePlan
  client: UpgradingClient
}

/** Opens WebSocket connections, by the steps of any other request. */
export class Openings {
  readonly #options: OpeningsOptions

  constructor(options: OpeningsOptions) {
    this.#options = options
  }

  /** Answers it in any case. Never throws. */
  open(exchange: GatewayExchange, client: UpgradingClient): void {
    const { context, passage, route } = this.#options
    try {
      const plan = route(exchange)
      if (plan instanceof Error) {
        this.#refuse(exchange, plan)
        return
      }
      exchange.reply.closing = true
      const opening = { exchange, plan, client }
      if (plan.gates === null) this.#openTo(opening)
      else {
        passage.lead(exchange, plan.gates, {
          pass: () => this.#openTo(opening),
          refuse: (_, error) => this.#refuse(exchange, error),
        })
      }
    } catch (error) {
      context.broke(exchange, error)
    }
  }

  #openTo(opening: Opening): void {
    const refusal = this.#connect(opening)
    if (refusal !== undefined) this.#refuse(opening.exchange, refusal)
  }

  /** @returns why it does not get to its upstream; nothing has been answered then */
  #connect({ exchange, plan, client }: Opening): GatewayError | undefined {
    const { tunnels, context } = this.#options
    const { fields, body, protocol } = exchange
    const { websocket } = plan.options
    if (websocket === null || body !== null) return new UpgradeError()
    const way = plan.detour === null ? { plan, client } : plan.detour.upgrade(exchange, client)
    if (way === null) return new UpgradeError()
    exchange.plan = way.plan
    way.plan.requests?.applyHead(exchange)
    const authority = exchange.told?.host ?? exchange.authority
    const origin = fieldOf(fields.kept, 'origin')
    if (!mayConnect(origin, authority, websocket.origins)) return new OriginError(origin)
    const offer = readOffer(fields.kept, protocol)
    if (offer instanceof Error) return offer
    const over = tunnels.take(plan.key, websocket.connections)
    if (over === undefined) {
      const error: GatewayError = new WebSocketLimitError()
      error.fields = ['retry-after', '5']
      return error
    }
    new UpgradeCall(context, exchange, way.plan, {
      client: way.client,
      offer,
      options: websocket,
      tunnels,
      over,
    }).start()
    return undefined
  }

  #refuse(exchange: GatewayExchange, refusal: GatewayError): void {
    const { tunnels, context } = this.#options
    tunnels.counters.refuse(refusal.code)
    exchange.reply.closing = true
    context.refuse(exchange, refusal)
  }
}
