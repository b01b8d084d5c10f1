import type { Config } from '../config/config.ts'
import type { RelatedDocument } from '../services/openapi/describe.ts'
import type { Address } from './address.ts'

const TITLES = { admin: 'The control plane', public: 'The public API' } as const

/**
 * The other plane's documents, for the link between the two; `null` where both share one address.
 *
 * @param addresses those that are listened on, as far as they are known when a document is built
 */
export function relatedDocs(
  { admin, endpoints: { docs } }: Config,
  kind: Address['kind'],
  addresses: () => readonly Pick<Address, 'kind' | 'url'>[],
): () => RelatedDocument | null {
  if (admin === null || admin.shared || docs === false) return () => null
  return () => {
    const address = addresses().find((candidate) => candidate.kind === kind)
    return address === undefined ? null : { title: TITLES[kind], url: address.url + docs }
  }
}
