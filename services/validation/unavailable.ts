import type { GatewayError } from '../http/problem.ts'
import { type NoDocument, RETRY_AFTER_S } from '../openapi/served-documents.ts'
import { DocumentUnavailableError } from './errors.ts'

/** What is enforced waits for its document: nothing passes unseen. */
export function unavailable({ name, reason }: NoDocument): GatewayError {
  const error: GatewayError = new DocumentUnavailableError(name, reason)
  error.fields = ['retry-after', String(RETRY_AFTER_S)]
  return error
}
