import { FieldNames, foldedName } from './field-names.ts'

/**
 * The fields of one request, read in one pass: what goes on to the upstream as it is, and what the gateway has to look
 * at or to write anew. Never forwarded: hop-by-hop fields (RFC 9110 §7.6.1), what `Connection` names, Host, framing,
 * Expect, and the forwarding fields.
 */
export class RequestFields {
  /** End-to-end fields as received: name, value, name, value. */
  readonly kept: string[] = []
  host: string | undefined
  hostCount = 0
  contentLength: string | undefined
  contentLengthCount = 0
  transferEncoding: string | undefined
  connection: string | undefined
  expect: string | undefined
  upgrade: string | undefined
  requestId: string | undefined
  via: string | undefined
  forwarded: string | undefined
  forwardedFor: string | undefined
  forwardedHost: string | undefined
  forwardedProto: string | undefined
  /** `true` where the client's TE names trailers: the one transfer coding that a proxy may pass on. */
  trailers = false
  cookie: string | undefined
  /** What decides about stored answers (RFC 9110 §13, RFC 9111 §5): kept as well. Lines of a list are joined. */
  cacheControl: string | undefined
  pragma: string | undefined
  authorization: string | undefined
  range: string | undefined
  ifRange: string | undefined
  ifMatch: string | undefined
  ifNoneMatch: string | undefined
  ifModifiedSince: string | undefined
  ifUnmodifiedSince: string | undefined
  /** One of the four preconditions is there. */
  conditional = false
}

/**
 * @param raw flat: name, value, name, value
 * @param start behind the pseudo-headers
 */
export function readRequestFields(raw: readonly string[], start = 0): RequestFields {
  const fields = new RequestFields()
  const { kept } = fields
  for (let i = start; i < raw.length; i += 2) {
    const name = raw[i] as string
    const value = raw[i + 1] as string
    if (!special.mayHave(name) || !take(fields, name.toLowerCase(), value)) kept.push(name, value)
  }
  if (fields.cookie !== undefined) kept.push('cookie', fields.cookie)
  if (fields.connection !== undefined) dropNamed(fields, fields.connection)
  return fields
}

const SPECIAL = [
  'te',
  'via',
  'host',
  'range',
  'cookie',
  'expect',
  'pragma',
  'trailer',
  'upgrade',
  'if-match',
  'if-range',
  'forwarded',
  'connection',
  'authorization',
  'cache-control',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
] as const

/** Of these none goes on as it came, so that nothing that a server could take for one may: `X_Forwarded_For`. */
const OWN: ReadonlySet<string> = new Set([
  'x-real-ip',
  'keep-alive',
  'x-request-id',
  'content-length',
  'http2-settings',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'proxy-connection',
  'x-forwarded-proto',
  'transfer-encoding',
  'x-forwarded-server',
  'x-forwarded-prefix',
  'x-forwarded-scheme',
  'proxy-authenticate',
  'proxy-authorization',
])

const special = new FieldNames([...SPECIAL, ...OWN])

/** `true` when the field does not go on as it is. */
function take(fields: RequestFields, name: string, value: string): boolean {
  switch (name) {
    case 'host':
      fields.hostCount++
      fields.host = value
      return true
    case 'connection':
      fields.connection = join(fields.connection, value)
      return true
    case 'content-length':
      fields.contentLengthCount++
      fields.contentLength = value
      return true
    case 'transfer-encoding':
      fields.transferEncoding = join(fields.transferEncoding, value)
      return true
    case 'expect':
      fields.expect = value
      return true
    case 'upgrade':
      fields.upgrade = value
      return true
    case 'te':
      if (/(^|,)\s*trailers\s*($|[,;])/i.test(value)) fields.trailers = true
      return true
    case 'cookie':
      // HTTP/2 may split cookies (RFC 9113 §8.2.3); an upstream gets one field.
      fields.cookie = fields.cookie === undefined ? value : `${fields.cookie}; ${value}`
      return true
    case 'x-request-id':
      fields.requestId ??= value
      return true
    case 'via':
      fields.via = join(fields.via, value)
      return true
    case 'forwarded':
      fields.forwarded = join(fields.forwarded, value)
      return true
    case 'x-forwarded-for':
      fields.forwardedFor = join(fields.forwardedFor, value)
      return true
    case 'x-forwarded-host':
      fields.forwardedHost ??= value
      return true
    case 'x-forwarded-proto':
      fields.forwardedProto ??= value
      return true
    case 'x-real-ip':
    case 'x-forwarded-port':
    case 'x-forwarded-server':
    case 'x-forwarded-prefix':
    case 'x-forwarded-scheme':
    case 'trailer':
    case 'keep-alive':
    case 'http2-settings':
    case 'proxy-connection':
    case 'proxy-authenticate':
    case 'proxy-authorization':
      return true
    case 'cache-control':
      fields.cacheControl = join(fields.cacheControl, value)
      return false
    case 'pragma':
      fields.pragma = join(fields.pragma, value)
      return false
    case 'authorization':
      fields.authorization = value
      return false
    case 'range':
      fields.range = join(fields.range, value)
      return false
    case 'if-range':
      fields.ifRange = value
      return false
    case 'if-match':
      fields.ifMatch = join(fields.ifMatch, value)
      fields.conditional = true
      return false
    case 'if-none-match':
      fields.ifNoneMatch = join(fields.ifNoneMatch, value)
      fields.conditional = true
      return false
    case 'if-modified-since':
      fields.ifModifiedSince = value
      fields.conditional = true
      return false
    case 'if-unmodified-since':
      fields.ifUnmodifiedSince = value
      fields.conditional = true
      return false
    default:
      return OWN.has(foldedName(name))
  }
}

/** The first field of a name, which is in lower case; of a list of names and values. */
export function fieldOf(fields: readonly string[], name: string): string | undefined {
  for (let i = 0; i < fields.length; i += 2) {
    const given = fields[i] as string
    if (given.length === name.length && given.toLowerCase() === name) return fields[i + 1]
  }
  return undefined
}

/**
 * The value of a field that may stand once. Readers differ in which of several they take: of those, the value is empty, which
 * is none that anybody looks for.
 *
 * @param name in lower case
 */
export function onlyField(fields: readonly string[], name: string): string | undefined {
  let value: string | undefined
  for (let i = 0; i < fields.length; i += 2) {
    const given = fields[i] as string
    if (given.length === name.length && given.toLowerCase() === name) value = value === undefined ? fields[i + 1] : ''
  }
  return value
}

/** Puts a field into a list of them, in place of all of its name. @param name in lower case */
export function setField(fields: string[], name: string, value: string): void {
  removeField(fields, name)
  fields.push(name, value)
}

/** Takes all fields of a name out of a list of them. @param name in lower case */
export function removeField(fields: string[], name: string): void {
  for (let i = fields.length - 2; i >= 0; i -= 2) {
    const given = fields[i] as string
    if (given.length !== name.length || given.toLowerCase() !== name) continue
    for (let j = i; j < fields.length - 2; j++) fields[j] = fields[j + 2] as string
    // To set the length takes longer than all the rest.
    fields.pop()
    fields.pop()
  }
}

function join(list: string | undefined, value: string): string {
  return list === undefined ? value : `${list}, ${value}`
}

/**
 * Removes the fields that `Connection` names, also where they are kept apart: whoever reads them there is to see what goes on. What
 * the gateway writes itself is not in the list, so it cannot be hit.
 */
function dropNamed(fields: RequestFields, connection: string): void {
  if (connection === 'keep-alive' || connection === 'close') return
  const { kept } = fields
  const named = new Set(
    connection
      .toLowerCase()
      .split(',')
      .map((token) => token.trim()),
  )
  let end = 0
  for (let i = 0; i < kept.length; i += 2) {
    const name = (kept[i] as string).toLowerCase()
    if (named.has(name)) {
      forget(fields, name)
      continue
    }
    kept[end] = kept[i] as string
    kept[end + 1] = kept[i + 1] as string
    end += 2
  }
  kept.length = end
  const { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince } = fields
  fields.conditional = [ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince].some((one) => one !== undefined)
}

/** One of those that are kept and stand apart as well. */
function forget(fields: RequestFields, name: string): void {
  switch (name) {
    case 'cookie':
      fields.cookie = undefined
      break
    case 'cache-control':
      fields.cacheControl = undefined
      break
    case 'pragma':
      fields.pragma = undefined
      break
    case 'authorization':
      fields.authorization = undefined
      break
    case 'range':
      fields.range = undefined
      break
    case 'if-range':
      fields.ifRange = undefined
      break
    case 'if-match':
      fields.ifMatch = undefined
      break
    case 'if-none-match':
      fields.ifNoneMatch = undefined
      break
    case 'if-modified-since':
      fields.ifModifiedSince = undefined
      break
    case 'if-unmodified-since':
      fields.ifUnmodifiedSince = undefined
      break
    default:
  }
}
