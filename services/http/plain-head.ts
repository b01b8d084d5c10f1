import { readRequestFields, type RequestFields } from './request-fields.ts'

/** The head of an HTTP/1.1 request that has no body and asks for nothing of its connection but that it stays. */
export interface PlainHead {
  method: 'GET' | 'HEAD'
  /** A path with its query, as received: ASCII. */
  target: string
  fields: RequestFields
}

/** Buffer's own decoder, which `toString('latin1')` reaches after some checks (missing from the types). */
interface Latin1 extends Buffer {
  latin1Slice(): string
}

/** `GET / HTTP/1.1`, a field, and the empty line: nothing shorter is one. */
const LEAST_BYTES = 24
const CR = 0x0d
const LF = 0x0a
const SPACE = 0x20
const TAB = 0x09

/**
 * One request line and its field lines, to the end of the text (RFC 9112 §3, §5; RFC 9110 §5.5): the plain case of what
 * Node's parser takes, and nothing that it refuses: a path and no URL, one version, no folding, no bare CR or LF, no space
 * before a colon.
 */
const PLAIN = /^(?:GET|HEAD) \/[!-~]* HTTP\/1\.1\r\n(?:[!#$%&'*+.^_`|~A-Za-z0-9-]+:[\t -~\u0080-\u00ff]*\r\n)+\r\n$/

/**
 * Reads a chunk that is the whole of one such head, and nothing else.
 *
 * @param chunk as it came off the socket, at the beginning of a message
 * @param mostFields that it may have
 * @returns `undefined` for everything else, for which Node's parser is there
 */
export function readPlainHead(chunk: Buffer, mostFields: number): PlainHead | undefined {
  if (!endsWithEmptyLine(chunk) || chunk.length < LEAST_BYTES) return undefined
  const text = (chunk as Latin1).latin1Slice()
  if (!PLAIN.test(text)) return undefined
  const method = text.charCodeAt(0) === 0x47 ? 'GET' : 'HEAD'
  const targetAt = method.length + 1
  const lineEnd = text.indexOf('\r\n', targetAt)
  const rawHeaders: string[] = []
  const end = text.length - 2
  for (let at = lineEnd + 2; at < end; ) {
    const colon = text.indexOf(':', at)
    const eol = text.indexOf('\r', colon)
    rawHeaders.push(text.slice(at, colon), valueOf(text, colon + 1, eol))
    at = eol + 2
  }
  if (rawHeaders.length > mostFields * 2) return undefined
  const fields = readRequestFields(rawHeaders)
  if (!isPlain(fields)) return undefined
  return { method, target: text.slice(targetAt, lineEnd - ' HTTP/1.1'.length), fields }
}

/** `true` where nothing follows the head, and nothing is asked of the connection. */
function isPlain(fields: RequestFields): boolean {
  const { connection } = fields
  return (
    fields.contentLength === undefined &&
    fields.transferEncoding === undefined &&
    fields.expect === undefined &&
    fields.upgrade === undefined &&
    (connection === undefined || connection === 'keep-alive' || connection.toLowerCase() === 'keep-alive')
  )
}

/** `true` where nothing of a head can be missing: its last line is the empty one. */
export function endsWithEmptyLine(chunk: Buffer): boolean {
  const end = chunk.length
  return chunk[end - 1] === LF && chunk[end - 2] === CR && chunk[end - 3] === LF && chunk[end - 4] === CR
}

/** Without the spaces and tabs around it (RFC 9110 §5.5). */
function valueOf(text: string, from: number, to: number): string {
  let start = from
  let end = to
  while (start < end && isBlank(text.charCodeAt(start))) start++
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB
}
