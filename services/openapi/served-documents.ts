import type { OpenapiWarning } from './document.ts'
import { UpstreamDocuments } from './documents.ts'
import { Operations } from './found-operations.ts'
import type { KnownSpecifications } from './known-specifications.ts'
import type { LoadedSpecification, RequestUpstream, SpecificationSource } from './source.ts'
import { Specification } from './specification.ts'

/** A document that routes go by. The same object as long as the document is the same. */
export interface ServedDocument {
  specification: Specification
  operations: Operations
}

/** Why there is no document now. */
export class NoDocument {
  /** What it is, in words that may be told to clients: the name of a file, or a path and its upstream. */
  readonly name: string
  readonly reason: string

  constructor(name: string, reason: string) {
    this.name = name
    this.reason = reason
  }
}

/** When a client may ask again whose document has not come: loading is tried again sooner, as a rule. */
export const RETRY_AFTER_S = 5

/** One source, and what was made of it last. */
export class DocumentOfRoutes {
  readonly documents: UpstreamDocuments
  readonly #source: SpecificationSource
  #made: { of: LoadedSpecification; document: ServedDocument } | undefined

  constructor(source: SpecificationSource, documents: UpstreamDocuments) {
    this.#source = source
    this.documents = documents
  }

  /** As it is known now; `undefined` where it has never come. */
  known(): ServedDocument | undefined {
    const [state] = this.documents.known()
    return state?.specification === undefined ? undefined : this.#documentOf(state.specification)
  }

  /** Waits for a first load that is under way. */
  async current(): Promise<ServedDocument | NoDocument> {
    const [state] = await this.documents.current()
    if (state?.specification !== undefined) return this.#documentOf(state.specification)
    // Which file, or what lies behind an upstream, is not for clients; the upstream's name and the path are in `/docs`.
    const { upstream, location } = this.#source
    const isFile = location.startsWith('file:')
    const name = isFile ? (location.split('/').at(-1) as string) : `${location} of ${upstream}`
    return new NoDocument(name, reasonOf(state?.failure, isFile))
  }

  #documentOf(loaded: LoadedSpecification): ServedDocument {
    if (this.#made?.of !== loaded) {
      const specification = new Specification(loaded.document)
      this.#made = { of: loaded, document: { specification, operations: new Operations(specification, loaded) } }
    }
    return this.#made.document
  }
}

/**
 * The documents that routes go by, each by itself: one that cannot be had keeps no other waiting. They are loaded when the
 * gateway starts, and again, in the background, when they are asked for and a minute old.
 */
export class ServedDocuments {
  readonly #known = new Map<string, DocumentOfRoutes>()
  readonly #request: RequestUpstream
  readonly #specifications: KnownSpecifications | undefined

  /** @param specifications what to begin with; by default, nothing */
  constructor(request: RequestUpstream, specifications?: KnownSpecifications) {
    this.#request = request
    this.#specifications = specifications
  }

  /** The document of a source: one object for all routes that go by it. */
  add(source: SpecificationSource): DocumentOfRoutes {
    const key = `${source.upstream} ${source.location}`
    let known = this.#known.get(key)
    if (known === undefined) {
      // Whoever asks is told; the upstream's own document is in the log already.
      const onWarning = (_warning: OpenapiWarning): void => undefined
      const documents = new UpstreamDocuments({
        sources: [source],
        request: this.#request,
        known: this.#specifications,
        onWarning,
      })
      this.#known.set(key, (known = new DocumentOfRoutes(source, documents)))
    }
    return known
  }

  /** Begins to load; returns at once. */
  start(): void {
    for (const { documents } of this.#known.values()) documents.start()
  }

  /** Stops what is under way. */
  close(): void {
    for (const { documents } of this.#known.values()) documents.close()
  }
}

function reasonOf(failure: OpenapiWarning | undefined, isFile: boolean): string {
  if (failure === undefined) return 'has not come yet: try again in a few seconds'
  if (failure.code !== 'HR_OPENAPI_UNAVAILABLE') return failure.message.replace(/^its specification /, '')
  return isFile ? 'cannot be read' : 'cannot be had: the upstream does not give it'
}
