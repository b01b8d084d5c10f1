/** Where in a message something is not as it should be. */
export type FindingPlace = 'path' | 'query' | 'header' | 'cookie' | 'body' | 'content-type' | 'status'

/** One thing that is not as the document says. No value of the message is in it. */
export interface Finding {
  in: FindingPlace
  /** JSON Pointer (RFC 6901): into the body, or to the parameter and into it. */
  pointer: string
  message: string
}

/** What a pointer is cut to: it may hold names that a client has made up. */
const MOST_POINTER = 256

export function finding(place: FindingPlace, pointer: string, message: string): Finding {
  return { in: place, pointer: pointer.slice(0, MOST_POINTER), message }
}

/** A token of a JSON Pointer. */
export function token(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}
