import type { Exchange } from '../downstream/exchange.ts'
import type { NoOperation } from '../openapi/found-operations.ts'
import { type DocumentOfRoutes, NoDocument, type ServedDocument } from '../openapi/served-documents.ts'
import type { PathWriter } from '../proxy/path-writer.ts'
import { DocumentRules } from './document-rules.ts'
import type { OperationRules } from './operation-rules.ts'
import type { ValidateOptions } from './options.ts'
import type { ValidationCounts, ValidationRecord, ValidationSide } from './record.ts'

/** What the two sides of a route's validation share: the document, and what is noted. */
export class RouteValidation {
  readonly options: ValidateOptions
  readonly upstream: string
  readonly record: ValidationRecord
  readonly counts: Record<ValidationSide, ValidationCounts>
  readonly #document: DocumentOfRoutes
  readonly #writer: PathWriter | null
  #rules: DocumentRules | undefined

  /** @param parts `writer`: what is sent; `null`: the path as it is */
  constructor(
    options: ValidateOptions,
    parts: {
      key: string
      upstream: string
      document: DocumentOfRoutes
      writer: PathWriter | null
      record: ValidationRecord
    },
  ) {
    this.options = options
    this.upstream = parts.upstream
    this.record = parts.record
    this.counts = parts.record.counts(parts.key)
    this.#document = parts.document
    this.#writer = parts.writer
  }

  /** The path that an upstream is sent, which is what a document speaks of. */
  pathOf({ path, parameters }: Pick<Exchange, 'path' | 'parameters'>): string {
    return this.#writer === null ? path : this.#writer.send(path, parameters)
  }

  /** What the document says of a request, as it is known now; `undefined`: there is none yet. */
  find(exchange: Pick<Exchange, 'method' | 'path' | 'parameters'>): OperationRules | NoOperation | undefined {
    const document = this.#document.known()
    return document === undefined ? undefined : this.#rulesOf(document).find(exchange.method, this.pathOf(exchange))
  }

  /** {@link find}, once a first load of the document that is under way is over. */
  async findSoon(
    exchange: Pick<Exchange, 'method' | 'path' | 'parameters'>,
  ): Promise<OperationRules | NoOperation | NoDocument> {
    const document = await this.#document.current()
    if (document instanceof NoDocument) return document
    return this.#rulesOf(document).find(exchange.method, this.pathOf(exchange))
  }

  #rulesOf(document: ServedDocument): DocumentRules {
    if (this.#rules?.isOf(document) !== true) this.#rules = new DocumentRules(document)
    return this.#rules as DocumentRules
  }
}
