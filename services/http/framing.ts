/**
 * What Node's HTTP/1 parser lets through and no intermediary may forward (RFC 9112 §6.1): a request whose end two
 * parsers could see in different places. Probed on Node 26.10; what its parser refuses by itself (Content-Length with
 * Transfer-Encoding, duplicate or malformed Content-Length, a final coding other than `chunked`, `chunked` twice, bare
 * LF, folded lines, control characters, a space before the colon) never gets here and is answered by
 * services/listener/malformed.ts. The rules are repeated nonetheless where they are cheap: a smuggled request costs
 * more than a comparison, and another parser might stand before us one day.
 */
export interface FramingRefusal {
  status: 400
  code: 'HR_REQUEST_FRAMING' | 'HR_REQUEST_VERSION'
  /** For the answer's `detail`: says what is wrong, quotes nothing. */
  detail: string
}

const refusal = (detail: string): FramingRefusal =>
  Object.freeze({ status: 400, code: 'HR_REQUEST_FRAMING', detail } as const)

const VERSION: FramingRefusal = Object.freeze({
  status: 400,
  code: 'HR_REQUEST_VERSION',
  detail: 'The request line names neither HTTP/1.1 nor HTTP/1.0.',
} as const)
const TRANSFER_CODING_IN_1_0 = refusal('A Transfer-Encoding field needs HTTP/1.1.')
const TRANSFER_CODING_TWICE = refusal('There is more than one Transfer-Encoding field.')
const TRANSFER_CODING_UNKNOWN = refusal('The only Transfer-Encoding understood here is "chunked", alone.')
const LENGTH_TWICE = refusal('There is more than one Content-Length field.')
const LENGTH_MALFORMED = refusal('Content-Length is not a whole number of bytes.')
const BOTH = refusal('Content-Length and Transfer-Encoding exclude each other.')

/** Up to 15 digits: exact in a double, and more than any limit on bodies. */
const LENGTH = /^\d{1,15}$/

/**
 * @param rawHeaders flat, as `IncomingMessage.rawHeaders`: name, value, name, value
 * @param httpVersion as `IncomingMessage.httpVersion`; Node also parses `HTTP/0.9` and a literal `HTTP/2.0` line
 * @returns why the request must be answered 400 and its connection closed, or null when its framing is sound
 */
export function refuseFraming(rawHeaders: readonly string[], httpVersion: string): FramingRefusal | null {
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return VERSION
  let length: string | null = null
  let coding: string | null = null
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string
    // The length tells most fields apart without lower-casing them.
    if (name.length === 14 && name.toLowerCase() === 'content-length') {
      if (length !== null) return LENGTH_TWICE
      length = rawHeaders[i + 1] as string
    } else if (name.length === 17 && name.toLowerCase() === 'transfer-encoding') {
      if (coding !== null) return TRANSFER_CODING_TWICE
      coding = rawHeaders[i + 1] as string
    }
  }
  if (coding === null) return length === null || LENGTH.test(length) ? null : LENGTH_MALFORMED
  if (length !== null) return BOTH
  // RFC 9112 §6.1: to be treated as if the framing were faulty.
  if (httpVersion === '1.0') return TRANSFER_CODING_IN_1_0
  // 400 and not 501, as Node's parser answers the unknown codings that it catches itself.
  return coding.toLowerCase() === 'chunked' ? null : TRANSFER_CODING_UNKNOWN
}
