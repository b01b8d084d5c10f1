import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'
import { UpstreamTlsError } from './errors.ts'
import type { UpstreamOptions } from './options.ts'

/** What connections to an upstream are secured with. */
export type TlsSettings = Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'rejectUnauthorized' | 'servername'>

/**
 * Reads the files that an upstream names. Once for all its targets: those that come at run time find them as they were, and
 * as its fingerprint has them.
 *
 * @throws HR_UPSTREAM_TLS
 */
export function readTls({ name, tls }: UpstreamOptions): TlsSettings {
  if (tls === null) return {}
  const read = (file: string | null): Buffer | undefined => {
    if (file === null) return undefined
    try {
      return readFileSync(file)
    } catch (cause) {
      throw new UpstreamTlsError(name, `cannot read ${file}`, { cause })
    }
  }
  return {
    ca: read(tls.ca),
    cert: read(tls.cert),
    key: read(tls.key),
    rejectUnauthorized: tls.verify,
    ...(tls.servername !== null && { servername: tls.servername }),
  }
}
