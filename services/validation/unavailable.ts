import { type GatewayError, withFields } from '../http/problem.ts'
import { type NoDocument, RETRY_AFTER_S } from '../openapi/served-documents.ts'
import { DocumentUnavailableError } from './errors.ts'

/** What is enforced waits for its document: nothing passes unseen. */
export function unavailable({ name, reason }: NoDocument): GatewayError {
  return withFields(new DocumentUnavailableError(name, reason), ['retry-after', String(RETRY_AFTER_S)])
}
