import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeDataFolder } from '../../data-dir/folder.ts'
import { CookieSecretError } from './errors.ts'

const FILE = 'cookie-secret'
const OWNER_ONLY = 0o600

/**
 * The configured secrets, or else the one in `dataDir/cookie-secret`, made at first use (256 random bits) and readable by its
 * owner only: sessions outlive a restart, and the processes of one gateway read each other's.
 *
 * @throws HR_ACCESS_COOKIE_SECRET
 */
export function cookieSecrets(configured: readonly string[], dataDir: string): readonly string[] {
  if (configured.length > 0) return configured
  const file = join(dataDir, FILE)
  try {
    return [read(file) ?? make(file, dataDir)]
  } catch (cause) {
    if (cause instanceof CookieSecretError) throw cause
    throw Object.assign(new CookieSecretError(file, (cause as Error).message), { cause })
  }
}

function read(file: string): string | undefined {
  try {
    const text = readFileSync(file, 'utf8').trim()
    if (text.length < 32) throw new CookieSecretError(file, 'it is too short to be one')
    return text
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function make(file: string, dataDir: string): string {
  makeDataFolder(dataDir)
  const secret = randomBytes(32).toString('base64url')
  try {
    writeFileSync(file, `${secret}\n`, { mode: OWNER_ONLY, flag: 'wx' })
    return secret
  } catch (error) {
    // Another process of this gateway was first: its secret is everybody's.
    const theirs = (error as NodeJS.ErrnoException).code === 'EEXIST' ? read(file) : undefined
    if (theirs === undefined) throw error
    return theirs
  }
}
