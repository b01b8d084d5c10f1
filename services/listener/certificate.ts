import { createPrivateKey, X509Certificate } from 'node:crypto'
import { chmod, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeDataFolder } from '../data-dir/folder.ts'
import { TlsDataDirError } from './errors.ts'
import type { CertificateFiles } from './options.ts'

const DAY_MS = 86_400_000
/** Browsers and Apple's platforms refuse certificates that are valid for longer than 398 days. */
const VALID_DAYS = 397
const RENEW_BEFORE_DAYS = 30

export interface DevelopmentCertificate extends CertificateFiles {
  /** The certificate alone, for clients: `curl --cacert`. */
  public: string
  expiresAt: number
}

/**
 * A self-signed certificate for localhost, 127.0.0.1 and ::1: made once into `dataDir` (0700), kept until a month
 * before it expires, and made anew when it cannot be read. Certificate and key share one file (0600), written under
 * another name and renamed: processes that start together never see half of it, nor one's key with another's certificate.
 *
 * @param now milliseconds since the epoch
 * @throws HR_TLS_DATA_DIR
 */
export async function developmentCertificate(
  dataDir: string,
  now: number = Date.now(),
): Promise<DevelopmentCertificate> {
  try {
    return await keptOrMade(dataDir, now)
  } catch (cause) {
    throw new TlsDataDirError(dataDir, (cause as NodeJS.ErrnoException).code ?? (cause as Error).message, { cause })
  }
}

async function keptOrMade(dataDir: string, now: number): Promise<DevelopmentCertificate> {
  makeDataFolder(dataDir)
  const pair = join(dataDir, 'development.pem')
  const open = join(dataDir, 'development.crt')
  const files = { cert: pair, key: pair, servername: null, public: open }
  const kept = await readExpiry(pair)
  if (kept !== null && kept - now > RENEW_BEFORE_DAYS * DAY_MS) return { ...files, expiresAt: kept }
  const expiresAt = now + VALID_DAYS * DAY_MS
  // Loading it takes longer than all else that a start without a development certificate needs.
  const { generate } = await import('selfsigned')
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'Headrace development' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(now - DAY_MS),
    notAfterDate: new Date(expiresAt),
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 2, value: '*.localhost' },
          { type: 7, ip: '127.0.0.1' },
          { type: 7, ip: '::1' },
        ],
      },
    ],
  })
  await replace(pair, `${cert.trim()}\n${key.trim()}\n`, 0o600)
  await replace(open, `${cert.trim()}\n`, 0o644)
  return { ...files, expiresAt }
}

/** @returns when the kept pair expires; null when there is none, or none that works */
async function readExpiry(file: string): Promise<number | null> {
  try {
    const pem = await readFile(file)
    const certificate = new X509Certificate(pem)
    if (!certificate.checkPrivateKey(createPrivateKey(pem))) return null
    // An older file may have been copied about.
    await chmod(file, 0o600)
    return certificate.validToDate.getTime()
  } catch {
    // Absent, cut short or not ours: each is mended by making a new one, which is why the reason does not matter.
    return null
  }
}

async function replace(file: string, text: string, mode: number): Promise<void> {
  const temporary = `${file}.${process.pid}`
  await writeFile(temporary, text, { mode })
  await rename(temporary, file)
}
