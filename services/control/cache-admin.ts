import { CacheWarmBusyError } from '../cache/errors.ts'
import type { EntryReport } from '../cache/entry-report.ts'
import { canonicalUrl, type PurgeRequest, selectorOf } from '../cache/purge-request.ts'
import type { PurgeMode } from '../cache/purge-mode.ts'
import type { CacheReport } from '../cache/report.ts'
import type { WarmProgress } from '../cache/warm.ts'
import type { WarmTarget } from '../cache/warm-target.ts'
import type { Answer, Control } from './control.ts'

/** The shared cache of all processes, as people ask for it and steer it. */
export class CacheAdmin {
  readonly #control: Control

  constructor(control: Control) {
    this.#control = control
  }

  /**
   * Purges in every process.
   *
   * @returns how many stored responses it covered, a copy in each process counting; in how many processes it was done; in
   *   how many of these it waits for a second tier that is away
   * @throws CacheSelectorError, CacheTargetError for what names nothing; PartlyAppliedError
   */
  async purge(request: PurgeRequest, mode: PurgeMode): Promise<{ purged: number; processes: number; waiting: number }> {
    const { applied, results } = await this.#control.tell('cache-purge', { selector: selectorOf(request), mode })
    return {
      purged: results.reduce((total, { covered }) => total + covered, 0),
      processes: applied,
      waiting: results.filter(({ waiting }) => waiting).length,
    }
  }

  /** @throws NoAnswerError */
  report(): Promise<Answer<CacheReport>> {
    return this.#control.ask('cache')
  }

  /** What is stored under a URL; a path alone stands for every scheme and host. @throws CacheTargetError, NoAnswerError */
  async entry(url: string): Promise<Answer<EntryReport>> {
    return await this.#control.ask('cache-entry', { url: canonicalUrl(url) })
  }

  /** How far warming has come. @throws NoAnswerError */
  warmProgress(): Promise<Answer<WarmProgress>> {
    return this.#control.ask('cache-warm')
  }

  /**
   * Begins to warm the memory of each process. @param targets `null`: the configured list
   * @throws CacheWarmBusyError, CacheWarmSizeError, PartlyAppliedError
   */
  async warm(targets: WarmTarget[] | null): Promise<Answer<WarmProgress>> {
    const { result } = await this.warmProgress()
    if (result.state === 'running') throw new CacheWarmBusyError()
    await this.#control.tell('cache-warm', { targets })
    return await this.warmProgress()
  }

  /** @throws PartlyAppliedError */
  async cancelWarming(): Promise<Answer<WarmProgress>> {
    await this.#control.tell('cache-warm-cancel')
    return await this.warmProgress()
  }
}
