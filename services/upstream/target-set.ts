import type { Clock } from './clock.ts'
import { TargetChangeError } from './errors.ts'
import { type Member, Membership, type TargetChange } from './membership.ts'
import type { Target } from './target.ts'
import type { TargetSpec } from './target-spec.ts'

export interface TargetSetParts {
  upstream: string
  clock: Clock
  /** How long what leaves may go on answering. */
  drainTimeoutMs: number
  create(member: Member): Target
  /** Targets have come, gone or changed. */
  changed(added: readonly Target[], removed: readonly Target[]): void
}

/** Targets that something can be said of at run time. */
const MOST_CHANGES = 1_000

/** The targets of one upstream, made and ended as they come and go. What leaves answers what it has, then its pool ends. */
export class TargetSet {
  readonly #parts: TargetSetParts
  readonly #membership = new Membership()
  #present: ReadonlyMap<string, Target> = new Map()
  readonly #leaving = new Map<string, { target: Target; callOff: () => void }>()

  constructor(parts: TargetSetParts) {
    this.#parts = parts
  }

  /** Those that there should be, in the order of the configuration, then of their coming. */
  get present(): readonly Target[] {
    return [...this.#present.values()]
  }

  /** Those that have left and still answer as well. */
  get all(): readonly Target[] {
    return [...this.#present.values(), ...[...this.#leaving.values()].map(({ target }) => target)]
  }

  /** What was said of targets at run time. */
  get said(): readonly TargetChange[] {
    return this.#membership.changes
  }

  /** What one source has now, in place of what it had before. */
  found(source: string, specs: readonly TargetSpec[]): void {
    this.#membership.found(source, specs)
    this.#reconcile()
  }

  /**
   * Does to one target what the control plane says, also to one that a name has yet to lead to.
   *
   * @throws HR_UPSTREAM_TARGET where it has said too much
   */
  change(change: TargetChange, spec: TargetSpec): void {
    const { upstream } = this.#parts
    if (this.said.length >= MOST_CHANGES && this.said.every(({ url }) => url !== change.url)) {
      throw new TargetChangeError(`${MOST_CHANGES} targets of '${upstream}' were changed: write them down instead.`)
    }
    this.#membership.say(change, spec)
    this.#reconcile()
  }

  /** Ends every connection; requests in flight are cut. */
  async close(): Promise<void> {
    for (const { callOff } of this.#leaving.values()) callOff()
    await Promise.all(this.all.map((target) => target.close()))
  }

  #reconcile(): void {
    const before = this.#present
    const members = this.#membership.members()
    this.#present = new Map(members.map((member) => [member.url, before.get(member.url) ?? this.#join(member)]))
    for (const member of members) this.#present.get(member.url)?.adapt(member)
    const removed = [...before.values()].filter(({ url }) => !this.#present.has(url))
    for (const target of removed) this.#leave(target)
    this.#parts.changed(
      [...this.#present.values()].filter(({ url }) => !before.has(url)),
      removed,
    )
  }

  /** One that comes back before it is gone is the same: it has its connections still. */
  #join(member: Member): Target {
    const known = this.#leaving.get(member.url)
    known?.callOff()
    this.#leaving.delete(member.url)
    return known?.target ?? this.#parts.create(member)
  }

  #leave(target: Target): void {
    const { clock, drainTimeoutMs } = this.#parts
    const gone = (): void => {
      callOff()
      this.#leaving.delete(target.url)
      void target.close()
    }
    const callOff = clock.after(drainTimeoutMs, gone)
    this.#leaving.set(target.url, { target, callOff })
    target.leave(gone)
  }
}
