import { type DocumentedUpstream, sourcesOf } from './build.ts'
import type { LoadedSpecification, SpecificationSource } from './source.ts'

/**
 * What the upstreams of a gateway said of themselves last, one document each. A gateway that takes its place begins with
 * it: an upstream that does not give its document at the time of a reload would take away what is known already.
 */
export class KnownSpecifications {
  readonly #bySource: Map<string, LoadedSpecification | undefined>

  /**
   * @param previous of the gateway before: what it knows of the same document, on the same targets, is known here. Files
   *   are read again instead: they may be what the reload is for
   */
  constructor(upstreams: readonly DocumentedUpstream[], previous: KnownSpecifications | null) {
    const asked = sourcesOf(upstreams).filter(({ location }) => !location.startsWith('file:'))
    this.#bySource = new Map(asked.map((source) => [keyOf(source), previous?.of(source)]))
  }

  of(source: SpecificationSource): LoadedSpecification | undefined {
    return this.#bySource.get(keyOf(source))
  }

  /** Sources of other upstreams, and files, are passed over. */
  keep(source: SpecificationSource, specification: LoadedSpecification): void {
    const key = keyOf(source)
    if (this.#bySource.has(key)) this.#bySource.set(key, specification)
  }
}

const keyOf = ({ upstream, location, targets }: SpecificationSource): string =>
  JSON.stringify([upstream, location, targets])
