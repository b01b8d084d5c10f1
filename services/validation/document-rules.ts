import { type FoundOperation, NoOperation } from '../openapi/found-operations.ts'
import type { ServedDocument } from '../openapi/served-documents.ts'
import { OperationRules } from './operation-rules.ts'

/** Operations whose rules are kept: of documents with more, those that were asked for longest ago are made anew. */
const MOST_OPERATIONS = 500

/** The rules of one document: made an operation at a time, when it is first asked for. */
export class DocumentRules {
  readonly #document: ServedDocument
  readonly #rules = new Map<FoundOperation, OperationRules>()

  constructor(document: ServedDocument) {
    this.#document = document
  }

  /** Whether these are the rules of a document. */
  isOf(document: ServedDocument): boolean {
    return this.#document === document
  }

  find(method: string, path: string): OperationRules | NoOperation {
    const { operations, specification } = this.#document
    const found = operations.find(method, path)
    if (found instanceof NoOperation) return found
    let rules = this.#rules.get(found)
    if (rules === undefined) {
      rules = new OperationRules(specification, found)
      const [first] = this.#rules.keys()
      if (first !== undefined && this.#rules.size >= MOST_OPERATIONS) this.#rules.delete(first)
      this.#rules.set(found, rules)
    }
    return rules
  }
}
