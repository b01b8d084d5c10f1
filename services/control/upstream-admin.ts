import { targetFault } from '../upstream/balance/options.ts'
import { TargetChangeError } from '../upstream/errors.ts'
import type { TargetChange } from '../upstream/membership.ts'
import { asWritten, httpOrigin } from '../upstream/prior-knowledge.ts'
import type { PoolReport } from '../monitor/pools.ts'
import type { Answer, Control } from './control.ts'

/** What is asked of one target. */
export interface TargetRequest {
  upstream: string
  target: string
  as: TargetChange['as']
  weight: number | null
}

/** The targets of all processes, as people see and change them. */
export class UpstreamAdmin {
  readonly #control: Control

  constructor(control: Control) {
    this.#control = control
  }

  /** Every target, or those of one upstream. @throws NoAnswerError */
  async pools(upstream?: string): Promise<Answer<PoolReport[]>> {
    const { result, missing } = await this.#control.ask('pools')
    return { result: result.filter((pool) => upstream === undefined || pool.upstream === upstream), missing }
  }

  /**
   * Changes one target in every process, until they end; a process that is started later is told too.
   *
   * @returns the targets of the upstream as they are now
   * @throws TargetChangeError where there is no such upstream or target; PartlyAppliedError
   */
  async change({ upstream, target, as, weight }: TargetRequest): Promise<Answer<PoolReport[]>> {
    const { result } = await this.#control.ask('upstreams')
    const known = result.find(({ name }) => name === upstream)
    if (known === undefined) {
      const names = result.map(({ name }) => name).join(', ') || 'none'
      throw new TargetChangeError(`There is no upstream '${upstream}'; there are: ${names}.`)
    }
    const url = known.targets.find((one) => isSame(one, target)) ?? target
    const fault = ORIGIN.test(url) ? targetFault(url)?.message : 'it is no origin such as http://10.0.0.7:4001'
    if (fault !== undefined) throw new TargetChangeError(`'${target}' cannot be a target: ${fault}.`)
    if (as !== 'present' && !known.targets.includes(url)) {
      const targets = known.targets.join(', ') || 'none'
      throw new TargetChangeError(`'${target}' is no target of '${upstream}'; there are: ${targets}.`)
    }
    await this.#control.tell('upstream-target', { upstream, change: { url, as, weight } })
    return await this.pools(upstream)
  }
}

/** Names are for the configuration: what they lead to is known by its addresses. */
const ORIGIN = /^(?:(?:https?|h2c):\/\/|unix:\/)/

/** `http://A:80/` is `http://a`. */
function isSame(one: string, other: string): boolean {
  const [first, second] = [one, other].map((target) => canonical(target))
  return first === second
}

function canonical(target: string): string {
  const origin = httpOrigin(target)
  return URL.canParse(origin) ? asWritten(target, new URL(origin).href) : target
}
