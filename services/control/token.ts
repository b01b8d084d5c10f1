import { randomBytes } from 'node:crypto'
import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeDataFolder } from '../data-dir/folder.ts'
import { DataDirError } from './errors.ts'

const TOKEN_FILE = 'admin-token'
const ADDRESS_FILE = 'admin-address'
const OWNER_ONLY = 0o600

/** The admin token in force. */
export interface AdminToken {
  token: string
  /** It comes from the data directory and not from the configuration: only then may it be shown, and on a terminal only. */
  generated: boolean
}

/**
 * The configured token, or else the one in `dataDir/admin-token`, made at first use (256 random bits) and readable by its
 * owner only. The same at every start, so that a bookmark or a scraper keeps working.
 *
 * @param configured empty for a generated one
 * @throws DataDirError
 */
export function resolveToken(configured: string, dataDir: string): AdminToken {
  if (configured !== '') return { token: configured, generated: false }
  const file = join(dataDir, TOKEN_FILE)
  const known = readToken(dataDir)
  if (known !== null) {
    // Copied or restored files come with any mode.
    attempt(file, () => chmodSync(file, OWNER_ONLY))
    return { token: known, generated: true }
  }
  const token = newToken()
  attempt(file, () => {
    makeDataFolder(dataDir)
    writeFileSync(file, `${token}\n`, { mode: OWNER_ONLY })
    // The mode above is for a new file; an empty one that was there keeps its own.
    chmodSync(file, OWNER_ONLY)
  })
  return { token, generated: true }
}

/** 256 random bits; never with a dash at its beginning: on a command line that would be an option. */
export function newToken(random: (bytes: number) => Buffer = randomBytes): string {
  for (;;) {
    const token = random(32).toString('base64url')
    if (!token.startsWith('-')) return token
  }
}

/** The generated token, for the command line; null where none was made. @throws DataDirError */
export function readToken(dataDir: string): string | null {
  return readLine(join(dataDir, TOKEN_FILE))
}

/** Leaves the control plane's address (`http://127.0.0.1:9090`) for the command line. @throws DataDirError */
export function writeAdminAddress(dataDir: string, url: string): void {
  const file = join(dataDir, ADDRESS_FILE)
  attempt(file, () => {
    makeDataFolder(dataDir)
    writeFileSync(file, `${url}\n`, { mode: OWNER_ONLY })
  })
}

/** Where the control plane of a running gateway listens; null where none runs. @throws DataDirError */
export function readAdminAddress(dataDir: string): string | null {
  return readLine(join(dataDir, ADDRESS_FILE))
}

/** Takes the address away at the end, unless another gateway has put its own there. @throws DataDirError */
export function removeAdminAddress(dataDir: string, url: string): void {
  if (readAdminAddress(dataDir) !== url) return
  const file = join(dataDir, ADDRESS_FILE)
  attempt(file, () => rmSync(file, { force: true }))
}

/** The file's only line; null where there is none. */
function readLine(file: string): string | null {
  return attempt(file, () => {
    try {
      // A pipe would be waited for.
      if (!statSync(file).isFile()) throw new Error('it is no file')
      return readFileSync(file, 'utf8').trim() || null
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
      throw error
    }
  })
}

function attempt<T>(file: string, action: () => T): T {
  try {
    return action()
  } catch (error) {
    throw Object.assign(new DataDirError(file, (error as Error).message), { cause: error })
  }
}
