import type { Exchange } from '../downstream/exchange.ts'
import type { UpgradingClient } from '../downstream/upgrading-client.ts'
import type { Detour, UpgradeWay } from '../proxy/detour.ts'
import type { ProxyPlan, RoutePlan } from '../proxy/plan.ts'
import type { SplitOptions } from './options.ts'
import { SideReply } from './side-reply.ts'
import type { Split } from './split.ts'

/** Sends each request of a route on by the plan of its side. */
export class SplitDetour implements Detour {
  readonly #split: Split<ProxyPlan>
  readonly #sticky: SplitOptions['sticky']

  constructor(split: Split<ProxyPlan>, { sticky }: SplitOptions) {
    this.#split = split
    this.#sticky = sticky
  }

  get plans(): ProxyPlan[] {
    return this.#split.sides.map(({ value }) => value)
  }

  take(exchange: Exchange<RoutePlan>): ProxyPlan {
    return this.#choose(exchange).plan
  }

  upgrade(exchange: Exchange<RoutePlan>, client: UpgradingClient): UpgradeWay {
    const { plan, cookie } = this.#choose(exchange)
    if (cookie === null) return { plan, client }
    // A change of protocol goes past the reply.
    const accept: UpgradingClient['accept'] = (fields) => client.accept([...fields, 'set-cookie', cookie])
    return { plan, client: { early: client.early, accept } }
  }

  #choose(exchange: Exchange<RoutePlan>): { plan: ProxyPlan; cookie: string | null } {
    const { side, reason, token } = this.#split.choose(exchange)
    side.counts[reason]++
    const { vary } = this.#split
    const cookie = token === null ? null : this.#cookie(token, exchange.scheme)
    if (cookie !== null || vary !== '') exchange.reply = new SideReply(exchange.reply, { vary, cookie })
    return { plan: side.value, cookie }
  }

  #cookie(token: string, scheme: 'http' | 'https'): string | null {
    if (this.#sticky?.by !== 'cookie') return null
    const { cookie, maxAgeMs } = this.#sticky
    const age = maxAgeMs === 0 ? '' : `; Max-Age=${Math.round(maxAgeMs / 1000)}`
    return `${cookie}=${token}; Path=/${age}; HttpOnly; SameSite=Lax${scheme === 'https' ? '; Secure' : ''}`
  }
}
