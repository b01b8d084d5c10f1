/**
 * HTTP/1.1 on the wire, as strictly as RFC 9112 allows: what the gateway writes, to either side, must parse here.
 * Shared by the scriptable upstream (requests) and the raw client (responses).
 */
export type Field = readonly [name: string, value: string]

export interface Head {
  /** The exact text, latin1, without the final empty line. */
  raw: string
  start: string
  fields: Field[]
}

/** How the body that follows a head ends (RFC 9112 §6.3). */
export type Framing = { kind: 'none' } | { kind: 'length'; bytes: number } | { kind: 'chunked' } | { kind: 'close' }

export interface MessageSink {
  /** Called as soon as the head is complete; the answer says how the body is framed. */
  head(head: Head): Framing
  body(chunk: Buffer): void
  end(trailers: Field[]): void
}

/** The peer broke the grammar: always a finding against it. */
export class WireError extends Error {
  override name = 'WireError'
}

const FIELD_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*(.*?)[ \t]*$/
// oxlint-disable-next-line no-control-regex -- the characters that RFC 9110 §5.5 forbids in a field value
const FORBIDDEN_IN_VALUE = /[\x00-\x08\x0a-\x1f\x7f]/

/** @throws {WireError} */
export function parseFields(lines: string[]): Field[] {
  return lines.map((line) => {
    const match = FIELD_LINE.exec(line)
    if (!match || FORBIDDEN_IN_VALUE.test(line)) throw new WireError(`not a field line: ${JSON.stringify(line)}`)
    return [match[1] ?? '', match[2] ?? ''] as const
  })
}

/** All values of a field, in order. */
export function all(fields: readonly Field[], name: string): string[] {
  const wanted = name.toLowerCase()
  return fields.filter(([key]) => key.toLowerCase() === wanted).map(([, value]) => value)
}

/** The value of a field that may be there once; several are joined so that a test sees them. */
export function get(fields: readonly Field[], name: string): string | undefined {
  const values = all(fields, name)
  return values.length === 0 ? undefined : values.join(', ')
}

/**
 * Framing that the fields declare.
 * @throws {WireError} where two parsers could disagree: both fields, duplicates, a coding other than chunked
 */
export function declaredFraming(fields: readonly Field[], otherwise: Framing): Framing {
  const lengths = all(fields, 'content-length')
  const codings = all(fields, 'transfer-encoding')
  if (lengths.length + codings.length > 1) throw new WireError('ambiguous framing')
  if (codings.length === 1) {
    if (codings[0]?.toLowerCase() !== 'chunked') throw new WireError(`transfer coding ${codings[0]}`)
    return { kind: 'chunked' }
  }
  if (lengths.length === 0) return otherwise
  if (!/^\d+$/.test(lengths[0] ?? '')) throw new WireError(`content-length ${lengths[0]}`)
  return { kind: 'length', bytes: Number(lengths[0]) }
}

type State = 'head' | 'length' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailers' | 'close'

/** An incremental reader of the messages of one direction of one connection. */
export class MessageReader {
  readonly #sink: MessageSink
  #state: State = 'head'
  #buffer: Buffer = Buffer.alloc(0)
  #left = 0

  constructor(sink: MessageSink) {
    this.#sink = sink
  }

  /** @throws {WireError} */
  push(bytes: Buffer): void {
    this.#buffer = this.#buffer.length === 0 ? bytes : Buffer.concat([this.#buffer, bytes])
    while (this.#buffer.length > 0 && this.#step());
  }

  /** The peer will send no more. True where it stopped between messages, or ended a body that the close delimits. */
  finish(): boolean {
    if (this.#state === 'close') this.#end([])
    return this.#state === 'head' && this.#buffer.length === 0
  }

  #step(): boolean {
    switch (this.#state) {
      case 'head':
        return this.#head()
      case 'close':
        this.#sink.body(this.#take(this.#buffer.length))
        return true
      case 'length':
      case 'chunk':
        return this.#data()
      case 'chunk-size':
        return this.#chunkSize()
      case 'chunk-end': {
        if (this.#buffer.length < 2) return false
        if (this.#take(2).toString('latin1') !== '\r\n') throw new WireError('chunk does not end with CRLF')
        this.#state = 'chunk-size'
        return true
      }
      case 'trailers':
        return this.#trailers()
    }
  }

  #head(): boolean {
    const at = this.#buffer.indexOf('\r\n\r\n')
    if (at < 0) return false
    const raw = this.#take(at + 4)
      .toString('latin1')
      .slice(0, -4)
    const [start = '', ...lines] = raw.split('\r\n')
    const framing = this.#sink.head({ raw, start, fields: parseFields(lines) })
    if (framing.kind === 'chunked') this.#state = 'chunk-size'
    else if (framing.kind === 'close') this.#state = 'close'
    else if (framing.kind === 'length' && framing.bytes > 0) {
      this.#state = 'length'
      this.#left = framing.bytes
    } else this.#end([])
    return true
  }

  #data(): boolean {
    const chunk = this.#take(Math.min(this.#left, this.#buffer.length))
    this.#left -= chunk.length
    this.#sink.body(chunk)
    if (this.#left === 0) {
      if (this.#state === 'length') this.#end([])
      else this.#state = 'chunk-end'
    }
    return true
  }

  #chunkSize(): boolean {
    const at = this.#buffer.indexOf('\r\n')
    if (at < 0) return false
    const line = this.#take(at + 2)
      .toString('latin1')
      .slice(0, -2)
    if (!/^[0-9A-Fa-f]{1,12}$/.test(line)) throw new WireError(`chunk size ${JSON.stringify(line)}`)
    this.#left = Number.parseInt(line, 16)
    this.#state = this.#left === 0 ? 'trailers' : 'chunk'
    return true
  }

  #trailers(): boolean {
    if (this.#buffer.length >= 2 && this.#buffer.toString('latin1', 0, 2) === '\r\n') {
      this.#take(2)
      this.#end([])
      return true
    }
    const at = this.#buffer.indexOf('\r\n\r\n')
    if (at < 0) return false
    const lines = this.#take(at + 4)
      .toString('latin1')
      .slice(0, -4)
      .split('\r\n')
    this.#end(parseFields(lines))
    return true
  }

  #end(trailers: Field[]): void {
    this.#state = 'head'
    this.#sink.end(trailers)
  }

  #take(length: number): Buffer {
    const taken = this.#buffer.subarray(0, length)
    this.#buffer = this.#buffer.subarray(length)
    return taken
  }
}
