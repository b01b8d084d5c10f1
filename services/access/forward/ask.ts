import { type Agent, request } from 'undici'
import { maxAgeOf } from '../jwt/fetch-text.ts'

/** What the service says. */
export interface ForwardAnswer {
  status: number
  /** name, value, name, value; names in lower case, what no client may be told left out */
  fields: string[]
  body: Buffer
  /** Milliseconds for which it may be remembered; `undefined` where it does not say. */
  maxAgeMs: number | undefined
}

/** Of a refusal, which a client reads: a page, or a problem. */
const MOST_BYTES = 64 * 1024
/** What belongs to the connection, or is written anew. */
const NOT_ITS = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
  'date',
  'server',
])
/** Nothing else goes into a field that the gateway writes (RFC 9110 §5.5). */
const FIELD_VALUE = /^[\t\u0020-\u007e\u0080-\u00ff]*$/

/**
 * Asks, within bounds of time and size. A body that is larger is left away.
 *
 * @param fields name, value, name, value
 * @throws what undici throws, or a TimeoutError
 */
export async function ask(
  url: string,
  fields: string[],
  { agent, timeoutMs }: { agent: Agent; timeoutMs: number },
): Promise<ForwardAnswer> {
  const answer = await request(url, {
    dispatcher: agent,
    headers: [...fields],
    signal: AbortSignal.timeout(timeoutMs),
  })
  const { body } = answer
  // A body that is left before its end says so once more, to whoever listens or to the process.
  body.on('error', () => undefined)
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MOST_BYTES) break
    chunks.push(chunk)
  }
  const cacheControl = answer.headers['cache-control']
  return {
    status: answer.statusCode,
    fields: flat(answer.headers),
    body: size > MOST_BYTES ? Buffer.alloc(0) : Buffer.concat(chunks),
    maxAgeMs: maxAgeOf(Array.isArray(cacheControl) ? cacheControl.join(', ') : cacheControl),
  }
}

function flat(headers: Readonly<Record<string, string | string[] | undefined>>): string[] {
  const fields: string[] = []
  for (const [name, given] of Object.entries(headers)) {
    if (NOT_ITS.has(name)) continue
    for (const value of [given].flat()) {
      if (value !== undefined && FIELD_VALUE.test(value)) fields.push(name, value)
    }
  }
  return fields
}
