import { createHash, timingSafeEqual } from 'node:crypto'
import { Readable } from 'node:stream'
import type { Exchange } from '../../downstream/exchange.ts'
import { RequestBody } from '../../downstream/request-body.ts'

/** What Content-Digest (RFC 9530) may say; older algorithms prove nothing. */
const ALGORITHMS: Readonly<Record<string, string>> = { 'sha-256': 'sha256', 'sha-512': 'sha512' }
const DIGEST = /^\s*([a-z0-9-]{1,32})=:([A-Za-z0-9+/]{4,128}={0,2}):\s*$/

/** @returns the digests of known algorithms; `undefined` where there is none, or what cannot be read */
export function readContentDigest(value: string | undefined): { algorithm: string; digest: Buffer }[] | undefined {
  const found: { algorithm: string; digest: Buffer }[] = []
  for (const member of value?.split(',', 8) ?? []) {
    const match = DIGEST.exec(member)
    if (match === null) return undefined
    const algorithm = ALGORITHMS[match[1] as string]
    if (algorithm !== undefined) found.push({ algorithm, digest: Buffer.from(match[2] as string, 'base64') })
  }
  return found.length === 0 ? undefined : found
}

/** @returns whether bytes have all of these digests */
export function haveDigests(bytes: Buffer, digests: readonly { algorithm: string; digest: Buffer }[]): boolean {
  return digests.every(({ algorithm, digest }) => {
    const actual = createHash(algorithm).update(bytes).digest()
    return actual.length === digest.length && timingSafeEqual(actual, digest)
  })
}

/**
 * Reads the body of a request whole, and leaves the same bytes with the exchange.
 *
 * @returns whether it has these digests
 * @throws HR_REQUEST_BODY_TOO_LARGE, HR_REQUEST_FRAMING where it broke off
 */
export async function hasDigests(
  exchange: Exchange,
  digests: readonly { algorithm: string; digest: Buffer }[],
  mostBytes: number,
): Promise<boolean> {
  const chunks: Buffer[] = []
  for await (const chunk of new RequestBody(exchange, mostBytes)) chunks.push(chunk)
  const bytes = Buffer.concat(chunks)
  exchange.body = Readable.from([bytes], { objectMode: false })
  return haveDigests(bytes, digests)
}
