import {
  createBrotliDecompress,
  createGunzip,
  createZstdDecompress,
  brotliDecompressSync,
  gunzipSync,
  zstdDecompressSync,
} from 'node:zlib'
import type { Transform } from 'node:stream'
import type { Coding } from '../services/compression/rules/negotiation.ts'

/** Undoes what Content-Encoding says; what is none of ours stays. */
export function decoded(response: { body: Buffer; get(name: string): string | undefined }): string {
  const { body } = response
  switch (response.get('content-encoding')) {
    case 'zstd':
      return zstdDecompressSync(body).toString()
    case 'br':
      return brotliDecompressSync(body).toString()
    case 'gzip':
      return gunzipSync(body).toString()
    default:
      return body.toString()
  }
}

/** Undoes a coding piece by piece: what is flushed comes out at once. */
export function streamDecoder(coding: Coding): Transform {
  return { zstd: createZstdDecompress, br: createBrotliDecompress, gzip: createGunzip }[coding]()
}
