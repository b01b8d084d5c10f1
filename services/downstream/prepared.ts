import { STATUS_CODES } from 'node:http'

/** A whole answer that is sent many times: what of it can be made beforehand is made once. */
export interface Prepared {
  readonly told: {
    readonly status: number
    /** End-to-end fields, names in lower case, without framing; an Age among them is left out. */
    readonly fields: readonly string[]
    /** A latin1 string where it is small, bytes otherwise. */
    readonly body: string | Uint8Array
  }
  /** The head as HTTP/1.1 writes it, from the status line to the last of `fields`: {@link preparedHead} makes and keeps it. */
  head: string | undefined
  /** Other forms of it that were made since; kept, and known, by who made them (services/compression). */
  forms?: unknown
}

/**
 * Heads that are kept, of the answers whose heads were made last. A head takes half of what a small answer takes beyond its
 * body, and most hits are of few answers: kept for all, heads would be most of the memory of a cache of small ones.
 */
const MOST_HEADS = 128
/** Weak: what has left its store is not to stay for the sake of its head. */
const kept: (WeakRef<Prepared> | undefined)[] = Array.from({ length: MOST_HEADS })
let next = 0

/** The part of the head that is the same each time, with its length; ends with a line break. */
export function preparedHead(prepared: Prepared): string {
  if (prepared.head !== undefined) return prepared.head
  const { status, fields, body } = prepared.told
  let block = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`
  for (let i = 0; i < fields.length; i += 2) if (fields[i] !== 'age') block += `${fields[i]}: ${fields[i + 1]}\r\n`
  if (status !== 204) block += `content-length: ${body.length}\r\n`
  const replaced = kept[next]?.deref()
  if (replaced !== undefined) replaced.head = undefined
  kept[next] = new WeakRef(prepared)
  next = (next + 1) % MOST_HEADS
  prepared.head = block
  return block
}
