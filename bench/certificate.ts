/** The certificate of a run: one for every contender that speaks TLS, so that all pay the same for it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generate } from 'selfsigned'

/** @returns a folder with `cert.pem` and `key.pem` (ECDSA, P-256); it goes with this process, however that ends */
export async function makeCertificate(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-bench-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  const options = { keyType: 'ec', algorithm: 'sha256' } as const
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], options)
  writeFileSync(join(folder, 'cert.pem'), cert)
  writeFileSync(join(folder, 'key.pem'), key, { mode: 0o600 })
  return folder
}
