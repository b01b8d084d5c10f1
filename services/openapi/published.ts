import { createHash } from 'node:crypto'
import { compose, type DocumentParts } from './build.ts'
import type { RelatedDocument } from './describe.ts'
import type { JsonObject, OpenapiWarning } from './document.ts'
import type { UpstreamDocuments } from './documents.ts'

/** A merged document as it is served. */
export interface Publication {
  document: JsonObject
  /** The document as JSON. */
  body: Buffer
  /** Strong entity tag of the body (RFC 9110, §8.8.3). */
  etag: string
}

export interface PublishedOptions {
  documents: UpstreamDocuments
  parts: Omit<DocumentParts, 'gateway' | 'related'>
  /** The gateway's own document; asked for once, when the first client wants to see it. */
  gateway(): JsonObject
  /** The other plane's documents, once its address is known. */
  related(): RelatedDocument | null
  onWarning(warning: OpenapiWarning): void
}

/** The merged document of a gateway: made when it is asked for, and again only when something in it has changed. */
export class PublishedDocument {
  readonly #options: PublishedOptions
  readonly #warned = new Set<string>()
  #gateway: JsonObject | undefined
  #made: { key: string; publication: Publication } | undefined

  constructor(options: PublishedOptions) {
    this.#options = options
  }

  /** The document with all that is known now; waits for first loads under way ({@link UpstreamDocuments.current}). */
  async current(): Promise<Publication> {
    const states = await this.#options.documents.current()
    const related = this.#options.related()
    const key = JSON.stringify([this.#options.documents.revision, related])
    if (this.#made?.key === key) return this.#made.publication
    this.#gateway ??= this.#options.gateway()
    const { document, warnings } = compose({ ...this.#options.parts, gateway: this.#gateway, related }, states)
    this.#tell(warnings)
    const body = Buffer.from(JSON.stringify(document))
    const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
    const publication = { document, body, etag }
    this.#made = { key, publication }
    return publication
  }

  /** Each warning once while it lasts: a document that is refreshed repeats them all. Failed loads are told elsewhere. */
  #tell(warnings: readonly OpenapiWarning[]): void {
    const texts = new Set<string>()
    for (const warning of warnings) {
      if (warning.code === 'HR_OPENAPI_UNAVAILABLE') continue
      const text = JSON.stringify(warning)
      texts.add(text)
      if (!this.#warned.has(text)) this.#options.onWarning(warning)
    }
    this.#warned.clear()
    for (const text of texts) this.#warned.add(text)
  }
}
