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
  /** The head as HTTP/1.1 writes it, from the status line to the last of `fields`: kept by the reply that made it. */
  head: string | undefined
  /** Other forms of it that were made since; kept, and known, by who made them (services/compression). */
  forms?: unknown
}

/** The part of the head that is the same each time, with its length; ends with a line break. */
export function preparedHead(prepared: Prepared): string {
  if (prepared.head !== undefined) return prepared.head
  const { status, fields, body } = prepared.told
  let block = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`
  for (let i = 0; i < fields.length; i += 2) if (fields[i] !== 'age') block += `${fields[i]}: ${fields[i + 1]}\r\n`
  if (status !== 204) block += `content-length: ${body.length}\r\n`
  prepared.head = block
  return block
}
