import { FieldError, FramingError } from '../http/errors.ts'
import type { GatewayError } from '../http/problem.ts'
import type { RequestFields } from '../http/request-fields.ts'

// Made once: building an error costs a stack trace, and floods of garbage come here.
const LENGTH_TWICE: GatewayError = new FramingError('has more than one content-length')
const LENGTH_MALFORMED: GatewayError = new FramingError('has a content-length that is no number of bytes')
const BOTH: GatewayError = new FramingError('has both content-length and transfer-encoding')
const CODING_IN_1_0: GatewayError = new FramingError('has a transfer-encoding in HTTP/1.0')
const CODING: GatewayError = new FramingError("has a transfer-encoding other than one 'chunked'")
const CONNECTION_FIELD: GatewayError = new FieldError('a connection-specific field, which HTTP/2 has not')
const UPGRADE_IN_1_0: GatewayError = new FieldError('an upgrade in HTTP/1.0')

/** Up to 15 digits: exact in a double, and more than any limit on bodies. */
const LENGTH = /^[0-9]{1,15}$/

/**
 * What Node's HTTP/1 parser lets through and no intermediary may forward (RFC 9112 §6.1): a request whose end two
 * parsers could see in different places. One length or one coding, never both, never two. Node 26 refuses most of it by
 * itself (services/listener/malformed.ts answers that); the rules stand here nonetheless, where they cost a comparison:
 * a smuggled request costs more, and another parser might stand before us one day.
 *
 * @returns why the request is 400 and its connection closed; `undefined` when its framing is sound
 */
export function refuseFraming(fields: RequestFields, protocol: '1.0' | '1.1' | '2.0'): GatewayError | undefined {
  const { contentLength, transferEncoding, upgrade } = fields
  if (contentLength !== undefined) {
    if (fields.contentLengthCount > 1) return LENGTH_TWICE
    if (!LENGTH.test(contentLength)) return LENGTH_MALFORMED
  }
  if (protocol === '2.0') {
    const named = transferEncoding ?? upgrade ?? fields.connection
    return named === undefined ? undefined : CONNECTION_FIELD
  }
  if (transferEncoding !== undefined) {
    if (contentLength !== undefined) return BOTH
    // RFC 9112 §6.1: to be treated as if the framing were faulty.
    if (protocol === '1.0') return CODING_IN_1_0
    // Two fields were read as a list, which is not this word either. 400 and not 501, as Node's parser answers.
    if (transferEncoding.toLowerCase() !== 'chunked') return CODING
  }
  return upgrade !== undefined && protocol === '1.0' ? UPGRADE_IN_1_0 : undefined
}
