import type { Reply } from '../downstream/reply.ts'

/** What of a body is kept before its upstream has to wait. */
const MOST_BYTES = 65_536

interface Head {
  status: number
  fields: string[]
  length: number | null
}

/** An answer that waits for whether there will be a better one: what a reply is told, to be told later or never. */
export class HeldAnswer {
  readonly head: Head
  readonly #chunks: Uint8Array[] = []
  #bytes = 0
  #end: { trailers: string[] | undefined } | undefined
  #goOn: (() => void) | undefined

  constructor(head: Head) {
    this.head = head
  }

  /** @returns `false` where it is enough for now */
  write(chunk: Uint8Array): boolean {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    return this.#bytes < MOST_BYTES
  }

  /** Who has more to write is called back when it is wanted. */
  drained(goOn: () => void): void {
    this.#goOn = goOn
  }

  end(chunk?: Uint8Array, trailers?: string[]): void {
    if (chunk !== undefined) this.#chunks.push(chunk)
    this.#end = { trailers }
  }

  /** There is no better one. */
  giveTo(reply: Reply): void {
    const { status, fields, length } = this.head
    reply.head(status, fields, length)
    for (const chunk of this.#chunks) reply.write(chunk)
    if (this.#end !== undefined) reply.end(undefined, this.#end.trailers)
    // A client that is behind with this makes the next piece wait.
    else this.#goOn?.()
  }
}
