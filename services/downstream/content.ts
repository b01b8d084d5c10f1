import { Readable } from 'node:stream'
import type { Exchange } from './exchange.ts'
import { RequestBody } from './request-body.ts'

/**
 * Reads the body of a request up to a bound, and leaves the exchange with one that gives the same again: what follows need
 * not know of it.
 *
 * @param mostBytes beyond this it is not held: what was read, and what comes, goes on as a stream
 * @param limitBytes what the body may have at all
 * @returns the body; `undefined` where it is larger
 * @throws HR_REQUEST_* where it breaks off, or is not what its head says
 */
export async function readContent(
  exchange: Exchange,
  { mostBytes, limitBytes }: { mostBytes: number; limitBytes: number },
): Promise<Buffer | undefined> {
  const body = new RequestBody(exchange, limitBytes)
  const chunks: Buffer[] = []
  let size = 0
  while (size <= mostBytes) {
    const { done, value } = await body.next()
    if (done === true) {
      const bytes = Buffer.concat(chunks)
      exchange.body = streamOf(bytes)
      return bytes
    }
    chunks.push(value)
    size += value.length
  }
  exchange.body = Readable.from(rest(chunks, body), { objectMode: false })
  return undefined
}

export function streamOf(bytes: Buffer): Readable {
  return Readable.from([bytes], { objectMode: false })
}

async function* rest(chunks: readonly Buffer[], body: RequestBody): AsyncGenerator<Buffer, void> {
  yield* chunks
  for (let next = await body.next(); next.done !== true; next = await body.next()) yield next.value
}
