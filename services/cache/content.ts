import { createHash } from 'node:crypto'
import { streamOf } from '../downstream/content.ts'
import { RequestBody } from '../downstream/request-body.ts'
import type { CacheExchange } from './context.ts'

/** Content up to this size is looked up by; more is passed on as it comes. */
const MOST_BYTES = 65_536

/** Whether a request's content is of a size that is known and small enough to look it up by. */
export function isReadable({ body, fields }: CacheExchange): boolean {
  return body !== null && fields.contentLength !== undefined && Number(fields.contentLength) <= MOST_BYTES
}

/**
 * Reads the content of a request that {@link isReadable}, and leaves it with the exchange.
 *
 * @throws HR_REQUEST_* where it breaks off, or is not what its head says
 */
export async function readContent(exchange: CacheExchange): Promise<void> {
  const body = new RequestBody(exchange, MOST_BYTES)
  exchange.work = { cancel: () => body.destroy() }
  try {
    const bytes = await collect(body)
    exchange.content = { bytes, digest: digestOf(exchange, bytes) }
    exchange.body = streamOf(bytes)
  } finally {
    exchange.work = undefined
  }
}

async function collect(body: RequestBody): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** Content means what its metadata says (RFC 10008 §2.7): each `Content-*` field belongs to it. */
function digestOf({ fields }: CacheExchange, bytes: Buffer): string {
  const hash = createHash('sha256')
  const described: string[] = []
  for (let i = 0; i < fields.kept.length; i += 2) {
    const name = (fields.kept[i] as string).toLowerCase()
    if (name.startsWith('content-')) described.push(`${name}: ${fields.kept[i + 1]}`)
  }
  return hash.update(JSON.stringify(described)).update(bytes).digest('base64url')
}
