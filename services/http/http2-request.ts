import type { IncomingHttpHeaders } from 'node:http2'
import { HTTP1_CONNECTION_FIELDS } from './connection-fields.ts'

/**
 * The checks that RFC 9113 §8.2–8.3 asks of a server, as pure functions. nghttp2 makes most of them below JavaScript
 * (probed on Node 26.10: duplicate, unknown, misplaced or missing pseudo-headers, upper case, connection-specific
 * fields, `te` other than trailers and bad lengths are reset there; fields with control characters are dropped). They
 * are made here again because everything behind this point is written as HTTP/1.1 to an upstream, and because nghttp2
 * leaves some out: `http2-settings`, `:authority` against `host`, the method's and scheme's syntax.
 */
export type Http2HeadFault =
  | {
      /** The request is malformed: reset the stream with PROTOCOL_ERROR, answer nothing (RFC 9113 §8.1.1). */
      kind: 'reset'
      code: 'HR_REQUEST_PSEUDO_HEADER' | 'HR_REQUEST_FIELD' | 'HR_REQUEST_FIELD_NAME' | 'HR_REQUEST_FRAMING'
      detail: string
    }
  | {
      /** Well-formed, but nothing that may be forwarded: answer 400. */
      kind: 'answer'
      status: 400
      code: 'HR_REQUEST_HOST' | 'HR_REQUEST_METHOD'
      detail: string
    }

type ResetCode = Extract<Http2HeadFault, { kind: 'reset' }>['code']
type AnswerCode = Extract<Http2HeadFault, { kind: 'answer' }>['code']

const reset = (code: ResetCode, detail: string): Http2HeadFault => Object.freeze({ kind: 'reset', code, detail })
const answer = (code: AnswerCode, detail: string): Http2HeadFault =>
  Object.freeze({ kind: 'answer', status: 400, code, detail })

const PSEUDO_UNKNOWN = reset('HR_REQUEST_PSEUDO_HEADER', 'A pseudo-header is not one of a request.')
const PSEUDO_TWICE = reset('HR_REQUEST_PSEUDO_HEADER', 'A pseudo-header appears twice.')
const PSEUDO_LATE = reset('HR_REQUEST_PSEUDO_HEADER', 'A pseudo-header follows a field.')
const PSEUDO_MISSING = reset('HR_REQUEST_PSEUDO_HEADER', ':method, :scheme and :path are required.')
const SCHEME = reset('HR_REQUEST_PSEUDO_HEADER', ':scheme is neither http nor https.')
const CONNECTION_FIELD = reset('HR_REQUEST_FIELD', 'A field belongs to HTTP/1.1 connections.')
const UPPERCASE = reset('HR_REQUEST_FIELD_NAME', 'A field name is not in lower case.')
const LENGTH = reset('HR_REQUEST_FRAMING', 'Content-Length is not one whole number of bytes.')
const METHOD = answer('HR_REQUEST_METHOD', 'The method is not a token in upper case.')
const AUTHORITY = answer('HR_REQUEST_HOST', ':authority and host name different hosts.')

const CONNECTION_FIELDS: ReadonlySet<string> = new Set(HTTP1_CONNECTION_FIELDS)

const PSEUDO_BIT: Readonly<Record<string, number>> = {
  ':method': 1,
  ':scheme': 2,
  ':path': 4,
  ':authority': 8,
  ':protocol': 16,
}
const REQUIRED = 7
const METHOD_SYNTAX = /^[A-Z][A-Z0-9!#$%&'*+.^_`|~-]*$/
const LENGTH_SYNTAX = /^\d{1,15}$/
const UPPER = /[A-Z]/

/**
 * @param headers as Node's `stream` event gives them; CONNECT is the listener's to refuse and passes here
 * @param rawHeaders flat, in the order received
 * @returns the first fault found, or null when the head may be treated as the HTTP/1.1 request it will become
 */
export function checkHttp2Head(headers: IncomingHttpHeaders, rawHeaders: readonly string[]): Http2HeadFault | null {
  let seen = 0
  let fields = false
  let length: string | null = null
  let host: string | null = null
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string
    if (name.charCodeAt(0) === 0x3a) {
      const bit = PSEUDO_BIT[name]
      if (bit === undefined) return PSEUDO_UNKNOWN
      if (fields) return PSEUDO_LATE
      if ((seen & bit) !== 0) return PSEUDO_TWICE
      seen |= bit
      continue
    }
    fields = true
    if (UPPER.test(name)) return UPPERCASE
    if (CONNECTION_FIELDS.has(name)) return CONNECTION_FIELD
    const value = rawHeaders[i + 1] as string
    if (name === 'te' && value.toLowerCase() !== 'trailers') return CONNECTION_FIELD
    if (name === 'content-length') {
      if (length !== null || !LENGTH_SYNTAX.test(value)) return LENGTH
      length = value
    } else if (name === 'host') {
      if (host !== null && !sameAuthority(host, value)) return AUTHORITY
      host = value
    }
  }
  // Without :protocol it has neither scheme nor path (RFC 9113 §8.5); with it, both (RFC 8441 §4).
  if (headers[':method'] === 'CONNECT' && headers[':protocol'] === undefined) return null
  if ((seen & REQUIRED) !== REQUIRED) return PSEUDO_MISSING
  return checkPseudoValues(headers, host)
}

function checkPseudoValues(headers: IncomingHttpHeaders, host: string | null): Http2HeadFault | null {
  const scheme = headers[':scheme']
  if (scheme !== 'https' && scheme !== 'http') return SCHEME
  const method = headers[':method'] as string
  if (method !== 'GET' && !METHOD_SYNTAX.test(method)) return METHOD
  const authority = headers[':authority']
  if (host !== null && authority !== undefined && !sameAuthority(host, authority)) return AUTHORITY
  return null
}

/** RFC 9113 §8.3.1: `host` must not differ from `:authority`; hosts compare without case (RFC 9110 §4.2.3). */
function sameAuthority(one: string, other: string): boolean {
  return one === other || one.toLowerCase() === other.toLowerCase()
}
