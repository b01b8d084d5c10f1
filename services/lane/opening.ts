import type { Exchange } from '../downstream/exchange.ts'
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

/** A client that asks for WebSocket on a route. */
export interface Opening {
  exchange: Exchange<RoutePlan>
  plan: RoutePlan
  client: UpgradingClient
}

/**
 * The last steps before a request for WebSocket goes to its upstream.
 *
 * @returns why it does not get there; nothing has been answered then
 */
export function openTunnel(
  { exchange, plan, client }: Opening,
  { context, tunnels }: { context: ProxyContext; tunnels: Tunnels },
): GatewayError | undefined {
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
  new UpgradeCall(context, exchange, way.plan, { client: way.client, offer, options: websocket, tunnels, over }).start()
  return undefined
}
