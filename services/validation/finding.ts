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

/** What is told of one message; of one with more faults the first of them. */
const MOST = 20

/** What is not as the document says in one message, each thing once. */
export class Findings {
  /** There may be more than are here. */
  truncated = false
  readonly #list: Finding[] = []

  get list(): readonly Finding[] {
    return this.#list
  }

  get isEmpty(): boolean {
    return this.#list.length === 0
  }

  add(place: FindingPlace, pointer: string, message: string): void {
    const found: Finding = { in: place, pointer: pointer.slice(0, MOST_POINTER), message }
    if (this.#list.some((one) => isSame(one, found))) return
    if (this.#list.length < MOST) this.#list.push(found)
    else this.truncated = true
  }
}

/** Of several alternatives of a schema, each says the same. */
function isSame(a: Finding, b: Finding): boolean {
  return a.in === b.in && a.pointer === b.pointer && a.message === b.message
}
