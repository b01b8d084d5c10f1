import { mkdirSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { developmentCertificate } from '../services/listener/certificate.ts'

export interface TestCertificate {
  cert: string
  key: string
}

/** Making one loads a library for a tenth of a second: all tests of this checkout have the same. */
const KEPT = fileURLToPath(new URL('../node_modules/.cache/test-certificate', import.meta.url))

let shared: Promise<TestCertificate> | undefined

/** A self-signed certificate for localhost and 127.0.0.1. */
export function testCertificate(): Promise<TestCertificate> {
  shared ??= read()
  return shared
}

async function read(): Promise<TestCertificate> {
  // Both from the one file: another process may be making it anew.
  const pair = await readFile((await developmentCertificate(KEPT)).key, 'utf8')
  const key = pair.indexOf('-----BEGIN', 1)
  return { cert: pair.slice(0, key), key: pair.slice(key) }
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
