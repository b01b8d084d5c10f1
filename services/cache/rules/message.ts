/**
 * What the rules of caching look at in requests and responses. The rules (this folder) are pure functions of these and
 * of a time given to them: no clock, no socket, no store.
 */

/** Fields in the order received: name, value, name, value. Names of responses are in lower case; of requests in any. */
export type FieldList = readonly string[]

/** The request fields that decide about reuse; a repeated field's lines are joined with `, `. */
export interface RequestConditions {
  cacheControl: string | undefined
  pragma: string | undefined
  authorization: string | undefined
  range: string | undefined
  ifRange: string | undefined
  ifMatch: string | undefined
  ifNoneMatch: string | undefined
  ifModifiedSince: string | undefined
  ifUnmodifiedSince: string | undefined
}

/** A response head as it came from the origin, end-to-end fields only (RFC 9111 §3.1), and when. */
export interface ResponseHead {
  status: number
  /** Names in lower case. */
  fields: FieldList
  /** When the request was sent, and when the head had come: milliseconds since 1970 (RFC 9111 §4.2.3). */
  requestedAt: number
  receivedAt: number
}

/** The combined value of a field: its lines joined with `, ` (RFC 9110 §5.2). @param name in lower case */
export function fieldValue(fields: FieldList, name: string): string | undefined {
  let value: string | undefined
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i] === name) value = value === undefined ? (fields[i + 1] as string) : `${value}, ${fields[i + 1]}`
  }
  return value
}

/** The lines of a field, in order. @param name in lower case */
export function fieldLines(fields: FieldList, name: string): string[] {
  const lines: string[] = []
  for (let i = 0; i < fields.length; i += 2) if (fields[i] === name) lines.push(fields[i + 1] as string)
  return lines
}

/** {@link fieldValue} for a request, whose names come in any case. */
export function requestFieldValue(fields: FieldList, name: string): string | undefined {
  let value: string | undefined
  for (let i = 0; i < fields.length; i += 2) {
    const given = fields[i] as string
    if (given.length === name.length && (given === name || given.toLowerCase() === name)) {
      value = value === undefined ? (fields[i + 1] as string) : `${value}, ${fields[i + 1]}`
    }
  }
  return value
}
