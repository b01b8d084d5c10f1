import type { Problem } from './problem.ts'
import { mediaTypeOf } from './media-type.ts'

/**
 * What clients of gRPC take a status of HTTP for where nothing else is said
 * (https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md).
 */
const STATUSES: Readonly<Record<number, number>> = {
  400: 13, // INTERNAL
  401: 16, // UNAUTHENTICATED
  403: 7, // PERMISSION_DENIED
  404: 12, // UNIMPLEMENTED
  429: 14, // UNAVAILABLE
  502: 14,
  503: 14,
  504: 14,
}
const UNKNOWN = 2

/** Whether a request's Content-Type is that of a call (gRPC-Web is another protocol). */
export function isGrpc(contentType: string | undefined): boolean {
  return /^application\/grpc(\+|$)/.test(mediaTypeOf(contentType))
}

/**
 * A problem as a call that failed without an answer: Trailers-Only
 * (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md), so that its client shows what was wrong and not a status
 * alone. Goes with status 200.
 *
 * @returns fields of the head: name, value, name, value
 */
export function failedCall({ status, detail, code }: Problem): string[] {
  const message = encoded(`${detail} (${code})`)
  return [
    'content-type',
    'application/grpc',
    'grpc-status',
    String(STATUSES[status] ?? UNKNOWN),
    'grpc-message',
    message,
  ]
}

/** Percent-Encoded, as `grpc-message` is: printable ASCII but the percent sign goes as it is. */
function encoded(text: string): string {
  return text.replace(/[^\x20-\x24\x26-\x7E]+/g, (some) => {
    return [...Buffer.from(some)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')
  })
}
