import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const OWNER_ONLY = 0o700

/**
 * Makes a folder for its owner only, with those above it. One that is there stays as it is.
 *
 * Not by Node's `recursive`: below /proc, where a folder is "not found" when it is made, that tries again for ever.
 *
 * @param folder absolute
 * @throws the system's error: EACCES, ENOTDIR, ENOENT, EROFS …
 */
export function makeFolder(folder: string): void {
  const parent = dirname(folder)
  if (isFolder(folder)) return
  if (parent !== folder) makeFolder(parent)
  try {
    mkdirSync(folder, OWNER_ONLY)
  } catch (error) {
    // Another process that starts now has made it meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !isFolder(folder)) throw error
  }
}

/**
 * Makes `dataDir`, and tells git to ignore what is in it: a token and a private key. A folder that is there stays as it is,
 * it may be one that git is to see.
 *
 * @param folder absolute
 * @throws the system's error, as {@link makeFolder}
 */
export function makeDataFolder(folder: string): void {
  if (isFolder(folder)) return
  makeFolder(folder)
  writeFileSync(join(folder, '.gitignore'), '*\n')
}

/** A file is none; neither is what may not be looked at, which making it will tell. */
function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}
