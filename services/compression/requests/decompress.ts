import type { Exchange } from '../../downstream/exchange.ts'
import { RequestBody } from '../../downstream/request-body.ts'
import { ContentCodingError } from '../../http/errors.ts'
import type { GatewayError } from '../../http/problem.ts'
import { createDecoder } from '../coders.ts'
import { DecodedBody } from './decoded-body.ts'
import type { DecompressOptions } from './options.ts'

/** RFC 9110 §12.5.3: with a 415, what would have been taken. */
const ACCEPTED = 'zstd, br, gzip, deflate'

/** What says how the body is coded, and what is said of its bytes as they are. */
const OF_THE_BYTES: ReadonlySet<string> = new Set([
  'content-encoding',
  'content-md5',
  'digest',
  'content-digest',
  'repr-digest',
])

/**
 * The body of a request goes on without its coding: its upstream need not know of any, and is told nothing of it.
 *
 * @param bodyBytes `limits.bodySize`: for what comes in and for what comes of it
 * @returns why it cannot be had: a coding that nobody here knows, or several
 */
export function decompress(
  exchange: Exchange,
  { maxRatio, maxBytes }: DecompressOptions,
  bodyBytes: number,
): GatewayError | undefined {
  const { fields, body } = exchange
  if (body === null) return undefined
  const coding = codingOf(fields.kept)
  if (coding === '' || coding === 'identity') return undefined
  const decoder = createDecoder(coding)
  if (decoder === undefined) {
    return Object.assign(new ContentCodingError(coding), { fields: ['accept-encoding', ACCEPTED] })
  }
  const limits = { maxRatio, maxBytes: Math.min(maxBytes ?? bodyBytes, bodyBytes) }
  exchange.body = new DecodedBody(new RequestBody(exchange, bodyBytes), decoder, limits)
  // Of what comes in; what goes on has another, which nobody knows yet.
  fields.contentLength = undefined
  dropCoding(fields.kept)
  return undefined
}

function codingOf(kept: readonly string[]): string {
  const lines: string[] = []
  for (let i = 0; i < kept.length; i += 2) {
    if ((kept[i] as string).toLowerCase() === 'content-encoding') lines.push((kept[i + 1] as string).trim())
  }
  return lines.join(', ').toLowerCase()
}

function dropCoding(kept: string[]): void {
  let end = 0
  for (let i = 0; i < kept.length; i += 2) {
    if (OF_THE_BYTES.has((kept[i] as string).toLowerCase())) continue
    kept[end] = kept[i] as string
    kept[end + 1] = kept[i + 1] as string
    end += 2
  }
  kept.length = end
}
