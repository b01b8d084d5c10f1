import { readdirSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** While an older version of the gateway runs beside this one, as in a rolling deployment, its file is written to. */
const UNUSED_MS = 24 * 3_600_000

/**
 * Removes what other versions of the gateway have left: a file of theirs is never read, and may be as large as the cache.
 *
 * @param file this version's; others differ by the numbers in its name
 * @param now milliseconds since 1970
 * @throws the system's error
 */
export function removeOutdated(file: string, now: number): void {
  const own = basename(file)
  const name = new RegExp(`^${own.replaceAll('.', '\\.').replaceAll(/\d+/g, '\\d+')}`)
  const unused = (other: string): boolean => {
    // A write goes to the journal first.
    const times = ['', '-wal'].map((side) => statSync(other + side, { throwIfNoEntry: false })?.mtimeMs ?? 0)
    return Math.max(...times) < now - UNUSED_MS
  }
  const folder = dirname(file)
  const others = readdirSync(folder).flatMap((entry) => (entry.startsWith(own) ? [] : (name.exec(entry)?.[0] ?? [])))
  for (const other of new Set(others)) {
    if (!unused(join(folder, other))) continue
    for (const side of ['-wal', '-shm', '.broken', '']) rmSync(join(folder, other + side), { force: true })
  }
}
