import type { StoredResponse } from '../../../../services/cache/stored.ts'

/** A stored response with what a test is not about filled in. */
export function storedResponse(given: Partial<StoredResponse> = {}): StoredResponse {
  return {
    status: 200,
    fields: ['content-type', 'text/plain'],
    requestedAt: 1_000,
    receivedAt: 1_010,
    body: 'hello',
    part: null,
    vary: [],
    tags: [],
    ...given,
  }
}
