/** A response head as undici gives it: names in lower case, several lines of a field as an array. */
export type UpstreamHead = Record<string, string | string[] | undefined>

/** What goes on to the client: end-to-end fields (name, value, name, value), and the length that the upstream declared. */
export interface ResponseFields {
  fields: string[]
  length: number | null
  /** The body ends with a last chunk: with neither this nor a length, the close of the connection ends it. */
  chunked: boolean
}

const CONTROL = /[^\t\x20-\x7e\x80-\xff]/
const LENGTH = /^[0-9]{1,15}$/

/**
 * Fields of responses that node:http2 refuses to send on more than one line (lib/internal/http2/util.js), by throwing.
 * Origins do repeat them; their lines mean the same as one (RFC 9110 §5.3).
 */
const ONE_LINE = new Set([
  'access-control-allow-credentials',
  'access-control-max-age',
  'access-control-request-method',
  'age',
  'authorization',
  'content-encoding',
  'content-language',
  'content-location',
  'content-md5',
  'content-range',
  'content-type',
  'date',
  'dnt',
  'etag',
  'expires',
  'from',
  'host',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'last-modified',
  'location',
  'max-forwards',
  'proxy-authorization',
  'range',
  'referer',
  'retry-after',
  'tk',
  'upgrade-insecure-requests',
  'user-agent',
  'x-content-type-options',
])

/**
 * Reads a response head: hop-by-hop fields (RFC 9110 §7.6.1) and what `Connection` names stay behind, framing is left to
 * the protocol of the client. `undefined` when the head cannot be passed on: a control character in a value (which would
 * split the response), a length that is none, a transfer coding other than chunked.
 */
export function readResponseFields(head: UpstreamHead): ResponseFields | undefined {
  const { connection } = head
  const named =
    connection === undefined || connection === 'keep-alive' || connection === 'close' ? null : namesIn(connection)
  const fields: string[] = []
  let length: number | null = null
  let chunked = false
  for (const name in head) {
    const value = head[name] as string | string[]
    switch (name) {
      case 'connection':
      case 'keep-alive':
      case 'upgrade':
      case 'proxy-connection':
      case 'proxy-authenticate':
      case 'http2-settings':
      case 'x-request-id':
      case ':status':
        continue
      case 'transfer-encoding':
        // undici reads any list that ends in `chunked` and gives the body as it comes: coded, and not marked as such.
        if (typeof value !== 'string' || value.toLowerCase() !== 'chunked') return undefined
        chunked = true
        continue
      case 'content-length':
        if (typeof value !== 'string' || !LENGTH.test(value)) return undefined
        length = Number(value)
        continue
      default:
    }
    if (named?.has(name)) continue
    if (typeof value === 'string') {
      if (CONTROL.test(value)) return undefined
      fields.push(name, value)
    } else if (ONE_LINE.has(name)) {
      const joined = value.join(', ')
      if (CONTROL.test(joined)) return undefined
      fields.push(name, joined)
    } else {
      for (const line of value) {
        if (CONTROL.test(line)) return undefined
        fields.push(name, line)
      }
    }
  }
  return { fields, length, chunked }
}

function namesIn(connection: string | string[]): Set<string> {
  return new Set(
    String(connection)
      .toLowerCase()
      .split(',')
      .map((token) => token.trim()),
  )
}
