import type { Socket } from 'node:net'
import type { Dispatcher } from 'undici'
import type { Exchange } from '../downstream/exchange.ts'
import type { UpgradingClient } from '../downstream/upgrading-client.ts'
import type { GatewayError } from '../http/problem.ts'
import type { Guest, Target } from '../upstream/target.ts'
import { WebSocketTargetError } from '../websocket/errors.ts'
import { type Offer, readAnswer } from '../websocket/handshake.ts'
import type { WebSocketOptions } from '../websocket/options.ts'
import type { Tunnel } from '../websocket/tunnel.ts'
import type { Tunnels } from '../websocket/tunnels.ts'
import { GuardedCall } from './guarded-call.ts'
import type { ProxyPlan, RoutePlan } from './plan.ts'
import type { ProxyContext } from './proxy-context.ts'
import { readResponseFields, type UpstreamHead } from './response-fields.ts'

/** What a call for WebSocket has besides. */
export interface Upgrading {
  client: UpgradingClient
  offer: Offer
  options: WebSocketOptions
  tunnels: Tunnels
  /** Called once the exchange is over, however it ends; perhaps more than once. */
  over: () => void
}

const NOTHING = Buffer.alloc(0)

/**
 * A request that asks its upstream for WebSocket, over a connection of its own: it has the target, the timeouts and the
 * retries of any other. What the upstream answers instead goes to the client as it is. What has become of it is its target's
 * guest, until it ends or the target does.
 */
export class UpgradeCall extends GuardedCall implements Guest {
  readonly #upgrading: Upgrading
  #tunnel: Tunnel | undefined

  constructor(context: ProxyContext, exchange: Exchange<RoutePlan>, plan: ProxyPlan, upgrading: Upgrading) {
    super(withEnd(context, upgrading.over), exchange, plan)
    this.#upgrading = upgrading
  }

  protected override send(target: Target, request: Dispatcher.DispatchOptions): void {
    const connection = target.connectToSwitch()
    if (connection === null) {
      this.#refuse(new WebSocketTargetError(target.upstream))
      return
    }
    connection.dispatch({ ...request, upgrade: 'websocket' }, this)
    // It serves this one request, and closes behind an answer to it that is none of these protocols.
    connection.close().catch(() => undefined)
  }

  /** It cannot be asked for there, which is no fault of the target's. */
  #refuse(error: GatewayError): void {
    this.#upgrading.tunnels.counters.refuse(error.code)
    this.settle('client_abort', error.code)
    this.refuse(error)
  }

  /** undici: the upstream has answered 101. The socket is nobody else's. */
  onRequestUpgrade(
    _controller: Dispatcher.DispatchController,
    _status: number,
    head: UpstreamHead,
    socket: Socket,
  ): void {
    try {
      this.#switch(head, socket)
    } catch (error) {
      socket.destroy()
      this.target?.letGo(this)
      this.broke(error)
    }
  }

  #switch(head: UpstreamHead, socket: Socket): void {
    const { client, offer, options, tunnels } = this.#upgrading
    const response = readResponseFields(head)
    const answer = readAnswer(head, offer)
    if (this.settled || response === undefined || typeof answer === 'string') {
      socket.on('error', () => undefined).destroy()
      if (!this.settled)
        this.invalid(new Error(typeof answer === 'string' ? answer : 'has a field that cannot be sent'))
      return
    }
    const target = this.target as Target
    // Before the call is over: else a target that leaves would have nothing left to wait for.
    target.host(this)
    this.switched(response, head)
    this.#tunnel = tunnels.open(
      {
        client: client.accept(response.fields),
        upstream: socket,
        maxMessageBytes: options.maxMessageBytes,
        extended: answer.extensions.length > 0,
        idleMs: this.plan.timeout.streamIdleMs,
        ended: () => {
          target.letGo(this)
          this.context.finish(this.exchange)
        },
      },
      { client: client.early, upstream: NOTHING },
    )
  }

  /** Its target has left, and the time for what it had is over. */
  leave(): void {
    this.#tunnel?.leave('drain', 1001)
  }
}

/** What ends an exchange, telling of it. */
function withEnd(context: ProxyContext, over: () => void): ProxyContext {
  return {
    ...context,
    refuse(exchange, error) {
      over()
      context.refuse(exchange, error)
    },
    broke(exchange, error) {
      over()
      context.broke(exchange, error)
    },
    finish(exchange) {
      over()
      context.finish(exchange)
    },
  }
}
