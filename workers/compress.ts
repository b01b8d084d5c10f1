import { brotliCompressSync, constants, gzipSync, zstdCompressSync } from 'node:zlib'
import type { CompressTask } from './protocol.ts'

/** Compresses bytes as hard as it is told: what takes too long for the thread that answers requests. */
export function compress({ bytes, coding, level }: CompressTask): Uint8Array {
  const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_SIZE_HINT, ZSTD_c_compressionLevel } = constants
  switch (coding) {
    case 'zstd':
      return zstdCompressSync(bytes, { params: { [ZSTD_c_compressionLevel]: level } })
    case 'br':
      return brotliCompressSync(bytes, {
        params: { [BROTLI_PARAM_QUALITY]: level, [BROTLI_PARAM_SIZE_HINT]: bytes.length },
      })
    case 'gzip':
      return gzipSync(bytes, { level })
  }
}
