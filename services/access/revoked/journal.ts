import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeDataFolder } from '../../data-dir/folder.ts'
import { JournalError } from './errors.ts'
import { isRevocation, type Revocation } from './revoked.ts'

const FILE = 'revoked.ndjson'
const OWNER_ONLY = 0o600
/** Characters from which on it is written anew, at a start, without what has ended. */
const LARGE = 1024 * 1024

/**
 * What was revoked, in a file of the data directory: a line each, appended, so that several processes may write. It is read
 * when a process starts; a revocation outlives restarts, without Redis too.
 */
export class Journal {
  readonly #dataDir: string
  readonly #file: string
  readonly #now: () => number

  /** @param dataDir absolute. @param now epoch, ms */
  constructor(dataDir: string, now: () => number) {
    this.#dataDir = dataDir
    this.#file = join(dataDir, FILE)
    this.#now = now
  }

  /** @throws HR_ACCESS_JOURNAL */
  append(list: readonly Revocation[]): void {
    if (list.length === 0) return
    this.#attempt(() => {
      makeDataFolder(this.#dataDir)
      appendFileSync(this.#file, linesOf(list), { mode: OWNER_ONLY })
    })
  }

  /** What still counts. A line that cannot be read, a torn last one above all, is left out. @throws HR_ACCESS_JOURNAL */
  read(): Revocation[] {
    return this.#attempt(() => {
      let text: string
      try {
        text = readFileSync(this.#file, 'utf8')
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
        throw error
      }
      const now = this.#now()
      const list = text
        .split('\n')
        .map(parsed)
        .filter((one) => isRevocation(one))
        .filter(({ until }) => until > now)
      if (text.length > LARGE) this.#rewrite(list)
      return list
    })
  }

  #rewrite(list: readonly Revocation[]): void {
    const temporary = `${this.#file}.${process.pid}`
    writeFileSync(temporary, linesOf(list), { mode: OWNER_ONLY })
    renameSync(temporary, this.#file)
  }

  #attempt<T>(action: () => T): T {
    try {
      return action()
    } catch (cause) {
      if (cause instanceof JournalError) throw cause
      throw Object.assign(new JournalError(this.#file, (cause as Error).message), { cause })
    }
  }
}

const linesOf = (list: readonly Revocation[]): string => list.map((one) => `${JSON.stringify(one)}\n`).join('')

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
