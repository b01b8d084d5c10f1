import type { OpenapiWarning } from '../openapi/document.ts'
import { UpstreamDocuments } from '../openapi/documents.ts'
import type { LoadedSpecification, RequestUpstream, SpecificationSource } from '../openapi/source.ts'
import type { GatewayError } from '../http/problem.ts'
import { MockDocumentError } from './errors.ts'
import { Operations } from './operations.ts'
import { Specification } from './specification.ts'

/** A document that mocked routes answer from. */
export interface MockDocument {
  specification: Specification
  operations: Operations
}

/** When a client may ask again whose document has not come: loading is tried again sooner, as a rule. */
const RETRY_AFTER_S = 5

/** One source, and what was made of it last. */
class Known {
  readonly source: SpecificationSource
  readonly documents: UpstreamDocuments
  #made: { of: LoadedSpecification; document: MockDocument } | undefined

  constructor(source: SpecificationSource, documents: UpstreamDocuments) {
    this.source = source
    this.documents = documents
  }

  made(loaded: LoadedSpecification): MockDocument {
    if (this.#made?.of !== loaded) {
      const specification = new Specification(loaded.document)
      this.#made = { of: loaded, document: { specification, operations: new Operations(specification, loaded) } }
    }
    return this.#made.document
  }
}

/**
 * The documents of mocked routes, each by itself: one that cannot be had keeps no other waiting. They are loaded when the
 * gateway starts, and again, in the background, when they are asked for and a minute old.
 */
export class MockDocuments {
  readonly #known = new Map<string, Known>()
  readonly #request: RequestUpstream

  constructor(request: RequestUpstream) {
    this.#request = request
  }

  /** @returns asks for the document of a source. Its promise is rejected with HR_MOCK_DOCUMENT where there is none */
  add(source: SpecificationSource): () => Promise<MockDocument> {
    const key = `${source.upstream} ${source.location}`
    let known = this.#known.get(key)
    if (known === undefined) {
      // Whoever asks is told; the upstream's own document is in the log already.
      const onWarning = (_warning: OpenapiWarning): void => undefined
      const documents = new UpstreamDocuments({ sources: [source], request: this.#request, onWarning })
      this.#known.set(key, (known = new Known(source, documents)))
    }
    const asked = known
    return () => current(asked)
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

async function current(known: Known): Promise<MockDocument> {
  const [state] = await known.documents.current()
  if (state?.specification !== undefined) return known.made(state.specification)
  // Which file, or what lies behind an upstream, is not for clients; the upstream's name and the path are in `/docs`.
  const { upstream, location } = known.source
  const isFile = location.startsWith('file:')
  const name = isFile ? (location.split('/').at(-1) as string) : `${location} of ${upstream}`
  const error: GatewayError = new MockDocumentError(name, reasonOf(state?.failure, isFile))
  error.fields = ['retry-after', String(RETRY_AFTER_S)]
  throw error
}

function reasonOf(failure: OpenapiWarning | undefined, isFile: boolean): string {
  if (failure === undefined) return 'has not come yet: try again in a few seconds'
  if (failure.code !== 'HR_OPENAPI_UNAVAILABLE') return failure.message.replace(/^its specification /, '')
  return isFile ? 'cannot be read' : 'cannot be had: the upstream does not give it'
}
