import { type Agent, request } from 'undici'
import { FetchError } from './errors.ts'

/** What was asked for. */
export interface Fetched {
  /** `null`: it has not changed (304). */
  text: string | null
  etag: string | undefined
  /** Milliseconds for which it may be used as it is; `undefined` where Cache-Control does not say. */
  maxAgeMs: number | undefined
}

export interface FetchBounds {
  /** Connections to whoever gives it. */
  agent: Agent
  timeoutMs: number
  mostBytes: number
  /** Of the last time, to be told 304. */
  etag?: string | undefined
}

/**
 * GETs a small document, within bounds of time and size. A redirect counts as a failure: it would lead to keys that nobody
 * has named.
 *
 * @throws HR_ACCESS_FETCH
 */
export async function fetchText(url: string, { agent, timeoutMs, mostBytes, etag }: FetchBounds): Promise<Fetched> {
  const shown = withoutQuery(url)
  try {
    const answer = await request(url, {
      dispatcher: agent,
      headers: { accept: 'application/json', ...(etag === undefined ? {} : { 'if-none-match': etag }) },
      signal: AbortSignal.timeout(timeoutMs),
    })
    const { statusCode, headers, body } = answer
    // A body that is left before its end says so once more, to whoever listens or to the process.
    body.on('error', () => undefined)
    const told = { etag: oneOf(headers.etag), maxAgeMs: maxAgeOf(oneOf(headers['cache-control'])) }
    if (statusCode === 304 && etag !== undefined) {
      await body.dump()
      return { ...told, text: null, etag: told.etag ?? etag }
    }
    if (statusCode !== 200) {
      body.destroy()
      throw new FetchError(shown, `it is answered with ${statusCode}`)
    }
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.length
      // Leaving the loop ends the request.
      if (size > mostBytes) throw new FetchError(shown, `it is larger than ${mostBytes} bytes`)
      chunks.push(chunk)
    }
    return { ...told, text: Buffer.concat(chunks).toString('utf8') }
  } catch (error) {
    if (error instanceof FetchError) throw error
    const { name, code } = error as { name?: string; code?: string }
    const reason = name === 'TimeoutError' ? `nothing whole has come within ${timeoutMs} ms` : (code ?? String(name))
    throw Object.assign(new FetchError(shown, reason), { cause: error })
  }
}

const oneOf = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value[0] : value)

/** `no-store` and `no-cache` are 0: it may be used once. */
export function maxAgeOf(cacheControl: string | undefined): number | undefined {
  if (cacheControl === undefined) return undefined
  if (/(?:^|[\s,])no-(?:store|cache)\b/i.test(cacheControl)) return 0
  const [, seconds] = /(?:^|[\s,])max-age\s*=\s*"?(\d{1,9})\b/i.exec(cacheControl) ?? []
  return seconds === undefined ? undefined : Number(seconds) * 1000
}

/** For messages: a query may have a secret. */
export function withoutQuery(url: string): string {
  const { origin, pathname } = new URL(url)
  return origin + pathname
}
