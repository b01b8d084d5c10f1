import type { TargetSpec } from './target-spec.ts'

/** What the control plane says of one target: its whole state, so that saying it twice changes nothing. */
export interface TargetChange {
  /** As the target is called. */
  url: string
  /** `absent`: it gets no requests and is forgotten; `draining`: it gets none, and stays. */
  as: 'present' | 'draining' | 'absent'
  /** `null`: as the configuration, or its name, has it; 1 for one that only this says. */
  weight: number | null
}

/** A target that there should be. */
export interface Member extends TargetSpec {
  draining: boolean
}

/** Which targets an upstream should have: those written down, those that names lead to, and what was said at run time. */
export class Membership {
  readonly #found = new Map<string, readonly TargetSpec[]>()
  readonly #said = new Map<string, TargetChange>()
  readonly #added = new Map<string, TargetSpec>()

  /** What one source has now, in place of what it had before. */
  found(source: string, specs: readonly TargetSpec[]): void {
    this.#found.set(source, specs)
  }

  /** @param spec of a target that no source may have; taken where none does and it is to be present */
  say(change: TargetChange, spec: TargetSpec): void {
    this.#said.set(change.url, change)
    if (change.as === 'present') this.#added.set(change.url, spec)
  }

  /** The last that was said of each target. */
  get changes(): TargetChange[] {
    return [...this.#said.values()]
  }

  /** Each once, by its url; of several sources the first counts. */
  members(): Member[] {
    const specs = new Map<string, TargetSpec>()
    for (const spec of [...this.#found.values()].flat()) if (!specs.has(spec.url)) specs.set(spec.url, spec)
    for (const [url, spec] of this.#added) if (!specs.has(url)) specs.set(url, spec)
    return [...specs.values()].flatMap((spec) => {
      const said = this.#said.get(spec.url)
      if (said?.as === 'absent') return []
      return [{ ...spec, weight: said?.weight ?? spec.weight, draining: said?.as === 'draining' }]
    })
  }
}
