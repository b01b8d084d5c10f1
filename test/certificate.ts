import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generate } from 'selfsigned'

export interface TestCertificate {
  cert: string
  key: string
}

let shared: Promise<TestCertificate> | undefined

/** A self-signed certificate for localhost and 127.0.0.1, made once a test process. */
export function testCertificate(): Promise<TestCertificate> {
  shared ??= generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  }).then(({ cert, private: key }) => ({ cert, key }))
  return shared
}

/** The certificate as files, for options that take paths. */
export async function writeCertificate(directory: string): Promise<{ cert: string; key: string }> {
  const { cert, key } = await testCertificate()
  const paths = { cert: join(directory, 'test.crt'), key: join(directory, 'test.key') }
  mkdirSync(directory, { recursive: true })
  writeFileSync(paths.cert, cert)
  writeFileSync(paths.key, key, { mode: 0o600 })
  return paths
}
