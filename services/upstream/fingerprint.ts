import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { UpstreamOptions } from './options.ts'

/** The same for two upstreams that are made alike: of their options, and of what is in the files of their TLS. */
export function fingerprintOf(options: UpstreamOptions): string {
  const { tls } = options
  const hash = createHash('sha256').update(JSON.stringify(options))
  for (const file of [tls?.ca, tls?.cert, tls?.key]) if (file) hash.update(contentOf(file))
  return hash.digest('base64url')
}

function contentOf(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch {
    // Whoever makes the upstream reads the file too, and says why it cannot.
    return Buffer.alloc(0)
  }
}
