import type { Transform } from 'node:stream'
import {
  brotliCompress,
  brotliCompressSync,
  constants,
  createBrotliCompress,
  createBrotliDecompress,
  createGunzip,
  createGzip,
  createInflate,
  createZstdCompress,
  createZstdDecompress,
  gzip,
  gzipSync,
  type Zlib,
  zstdCompress,
  zstdCompressSync,
} from 'node:zlib'
import type { Coding } from './rules/negotiation.ts'

/** Coding bytes with node:zlib: as a stream, as a whole, and as a whole in a thread of libuv's. */

const {
  BROTLI_OPERATION_FLUSH,
  BROTLI_PARAM_LGWIN,
  BROTLI_PARAM_QUALITY,
  BROTLI_PARAM_SIZE_HINT,
  Z_SYNC_FLUSH,
  ZSTD_c_compressionLevel,
  ZSTD_c_windowLog,
  ZSTD_d_windowLogMax,
  ZSTD_e_flush,
} = constants

/** Of a stream without a length: it may stand for hours, and thousands like it. 128 KiB. */
const STREAM_WINDOW_BITS = 17
/** RFC 9659 §3: no content coding needs a larger one. 8 MiB, where zstd itself would take 128 of any client that asks. */
const ZSTD_LARGEST_WINDOW_BITS = 23
/** Of a body on its way, where Brotli's own would be 4 MiB. */
const BROTLI_WINDOW_BITS = 19

/**
 * @param length bytes that will come; `null` where nobody knows: then each piece comes out as it went in, and is not held
 *   until there is more
 */
export function createCoder(coding: Coding, level: number, length: number | null): Transform {
  const isStream = length === null
  switch (coding) {
    case 'zstd':
      return createZstdCompress({
        params: { [ZSTD_c_compressionLevel]: level, ...(isStream && { [ZSTD_c_windowLog]: STREAM_WINDOW_BITS }) },
        ...(isStream ? { flush: ZSTD_e_flush } : { pledgedSrcSize: length }),
      })
    case 'br':
      return createBrotliCompress({
        params: {
          ...brotliParams(level, length ?? 0),
          [BROTLI_PARAM_LGWIN]: isStream ? STREAM_WINDOW_BITS : BROTLI_WINDOW_BITS,
        },
        ...(isStream && { flush: BROTLI_OPERATION_FLUSH }),
      })
    case 'gzip':
      return createGzip({ level, ...(isStream && { flush: Z_SYNC_FLUSH }) })
  }
}

function brotliParams(level: number, length: number): Record<number, number> {
  return { [BROTLI_PARAM_QUALITY]: level, [BROTLI_PARAM_SIZE_HINT]: length }
}

/** At once, on this thread: for what is small. */
export function codeNow(bytes: Uint8Array, coding: Coding, level: number): Buffer {
  switch (coding) {
    case 'zstd':
      return zstdCompressSync(bytes, { params: { [ZSTD_c_compressionLevel]: level } })
    case 'br':
      return brotliCompressSync(bytes, { params: brotliParams(level, bytes.length) })
    case 'gzip':
      return gzipSync(bytes, { level })
  }
}

/** In a thread of libuv's. */
export function code(
  bytes: Uint8Array,
  { coding, level }: { coding: Coding; level: number },
  done: (error: Error | null, coded: Buffer) => void,
): void {
  switch (coding) {
    case 'zstd':
      return zstdCompress(bytes, { params: { [ZSTD_c_compressionLevel]: level } }, done)
    case 'br':
      return brotliCompress(bytes, { params: brotliParams(level, bytes.length) }, done)
    case 'gzip':
      return gzip(bytes, { level }, done)
  }
}

/** `bytesWritten` counts what it has taken for coded content. */
export type Decoder = Transform & Pick<Zlib, 'bytesWritten'>

/**
 * What undoes a coding, by its name in Content-Encoding; `undefined` for one that nobody here knows. What stands behind the
 * end of what is coded is an error: two readers could each take something else for the content.
 */
export function createDecoder(coding: string): Decoder | undefined {
  const rejectGarbageAfterEnd = true
  switch (coding) {
    case 'zstd':
      return createZstdDecompress({
        params: { [ZSTD_d_windowLogMax]: ZSTD_LARGEST_WINDOW_BITS },
        rejectGarbageAfterEnd,
      })
    case 'br':
      return createBrotliDecompress({ rejectGarbageAfterEnd })
    case 'gzip':
    case 'x-gzip':
      // It may have several members (RFC 1952 §2.2), which the option takes for garbage; zlib refuses what is none by itself,
      // but for what begins with a zero: that is left, and not counted.
      return createGunzip()
    case 'deflate':
      // RFC 9110 §8.4.1.2: in the zlib format.
      return createInflate({ rejectGarbageAfterEnd })
    default:
      return undefined
  }
}

const DECODED: ReadonlySet<string> = new Set(['zstd', 'br', 'gzip', 'x-gzip', 'deflate'])

export function isDecodable(coding: string): boolean {
  return DECODED.has(coding)
}
