import type { RequestConditions } from '../../../../services/cache/rules/message.ts'
import type { StoredResponse } from '../../../../services/cache/stored.ts'

/** 2026-01-01T12:00:00Z: when the responses of these tests came. */
export const RECEIVED_AT = Date.UTC(2026, 0, 1, 12)
export const DATE = 'Thu, 01 Jan 2026 12:00:00 GMT'
export const HOUR_BEFORE = 'Thu, 01 Jan 2026 11:00:00 GMT'
export const HOUR_AFTER = 'Thu, 01 Jan 2026 13:00:00 GMT'

/** Fields from `name: value` lines. */
export function lines(...text: string[]): string[] {
  return text.flatMap((line) => {
    const at = line.indexOf(':')
    return [line.slice(0, at), line.slice(at + 1).trim()]
  })
}

/** A stored 200 with the body `0123456789`, but for what is given. */
export function storedResponse(fields: string[], given: Partial<StoredResponse> = {}): StoredResponse {
  return {
    status: 200,
    fields,
    requestedAt: RECEIVED_AT,
    receivedAt: RECEIVED_AT,
    body: '0123456789',
    part: null,
    vary: [],
    tags: [],
    ...given,
  }
}

/** A request's conditions: none but those given. */
export function conditions(given: Partial<RequestConditions>): RequestConditions {
  return {
    cacheControl: undefined,
    pragma: undefined,
    authorization: undefined,
    range: undefined,
    ifRange: undefined,
    ifMatch: undefined,
    ifNoneMatch: undefined,
    ifModifiedSince: undefined,
    ifUnmodifiedSince: undefined,
    ...given,
  }
}
