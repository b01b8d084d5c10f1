import { type DocumentedUpstream, sourcesOf } from './build.ts'
import type { LoadedSpecification, SpecificationSource } from './source.ts'

/** What an upstream has said of itself. */
export interface KnownSpecification {
  source: SpecificationSource
  specification: LoadedSpecification
}

/**
 * What the upstreams of a gateway said of themselves last, one document each. A gateway that takes its place begins with
 * it: an upstream that does not give its document at the time of a reload would take away what is known already.
 */
export class KnownSpecifications {
  /** Told of each document that is new here. By default nobody is. */
  announce: ((known: KnownSpecification) => void) | null = null
  readonly #bySource: Map<string, KnownSpecification | undefined>

  /**
   * @param previous of the gateway before: what it knows of the same document, on the same targets, is known here. Files
   *   are read again instead: they may be what the reload is for
   */
  constructor(upstreams: readonly DocumentedUpstream[], previous: KnownSpecifications | null) {
    const asked = sourcesOf(upstreams).filter(({ location }) => !location.startsWith('file:'))
    this.#bySource = new Map(asked.map((source) => [keyOf(source), undefined]))
    for (const known of previous?.all ?? []) this.keep(known)
  }

  /** Everything that is known. */
  get all(): KnownSpecification[] {
    return [...this.#bySource.values()].flatMap((known) => known ?? [])
  }

  of(source: SpecificationSource): LoadedSpecification | undefined {
    return this.#bySource.get(keyOf(source))?.specification
  }

  /** Sources of other upstreams, and files, are passed over. */
  keep(known: KnownSpecification): void {
    const key = keyOf(known.source)
    if (!this.#bySource.has(key) || this.#bySource.get(key)?.specification.digest === known.specification.digest) return
    this.#bySource.set(key, known)
    this.announce?.(known)
  }
}

const keyOf = ({ upstream, location, targets }: SpecificationSource): string =>
  JSON.stringify([upstream, location, targets])
