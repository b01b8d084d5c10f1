/** SQLite's primary result code of an error (https://sqlite.org/rescode.html); 0 for any other error. */
function sqliteCode(error: unknown): number {
  const code = (error as { errcode?: unknown } | null)?.errcode
  return typeof code === 'number' ? code & 0xff : 0
}

const BUSY = 5
const CORRUPT = 11
const FULL = 13
const NOTADB = 26

/** Another connection has what is needed: to be tried again. */
export function isBusy(error: unknown): boolean {
  return sqliteCode(error) === BUSY
}

/** No database, or one that contradicts itself. */
export function isCorrupt(error: unknown): boolean {
  const code = sqliteCode(error)
  return code === CORRUPT || code === NOTADB
}

/** The disk is full, or the most pages that it may have are taken. */
export function isFull(error: unknown): boolean {
  return sqliteCode(error) === FULL
}

/** For people: `unable to open database file (SQLite 14)`. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { errcode, code } = error as { errcode?: unknown; code?: unknown }
  if (typeof errcode === 'number') return `${error.message} (SQLite ${errcode})`
  return typeof code === 'string' ? `${error.message.split(',')[0]}` : error.message
}
