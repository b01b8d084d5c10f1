import { readFileSync } from 'node:fs'
import { FileWatch } from '../../configuration/file-watch.ts'
import { KeySetError } from './errors.ts'
import { type KeySet, readKeySet } from './key-set.ts'
import type { KeySource, KeySourceReport } from './key-source.ts'

/** A file that has changed is in force after two looks, within a second. */
const LOOK_EVERY_MS = 300

export interface FileKeysOptions {
  /** Absolute; or the keys themselves, of the configuration, which do not change. */
  from: { file: string } | { text: string }
  /** The file has changed into something that cannot be used; the old keys stay. */
  failed: (error: Error) => void
}

/** Keys of a file, which is looked at three times a second, or of the configuration. */
export class FileKeys implements KeySource {
  changed: () => void = () => {}
  readonly #options: FileKeysOptions
  readonly #file: string | null
  readonly #watch: FileWatch | null
  readonly #counts = { fetches: 0, failures: 0, changes: 0 }
  #set: KeySet

  /** @throws HR_ACCESS_KEY_SET */
  constructor(options: FileKeysOptions) {
    this.#options = options
    const { from } = options
    const file = 'file' in from ? from.file : null
    this.#file = file
    this.#set = 'file' in from ? readFile(from.file) : readKeySet(from.text, 'the configuration')
    this.#watch =
      file === null
        ? null
        : new FileWatch({ files: () => [file], changed: () => void this.refresh(), everyMs: LOOK_EVERY_MS })
  }

  get current(): KeySet {
    return this.#set
  }

  start(): void {
    // It may have changed since it was read for the configuration.
    if (this.#watch !== null) void this.#watch.start().then(() => this.refresh())
  }

  async first(): Promise<KeySet> {
    return this.#set
  }

  /** The file is watched: there are no others. */
  async another(): Promise<undefined> {}

  async refresh(): Promise<void> {
    if (this.#file === null) return
    this.#counts.fetches++
    try {
      this.#take(readFile(this.#file))
    } catch (error) {
      this.#counts.failures++
      this.#options.failed(error as Error)
    }
  }

  /** Each process reads the file itself. */
  adopt(): void {}

  /** Nor does another machine say anything of it. */
  async heard(): Promise<void> {}

  report(): KeySourceReport {
    return { keys: this.#set.size, ...this.#counts, ageMs: 0 }
  }

  close(): void {
    this.#watch?.stop()
  }

  #take(set: KeySet): void {
    if (set.digest === this.#set.digest) return
    this.#set = set
    this.#counts.changes++
    this.changed()
  }
}

/** @throws HR_ACCESS_KEY_SET */
function readFile(file: string): KeySet {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw Object.assign(new KeySetError(file, `cannot be read (${(cause as NodeJS.ErrnoException).code})`), { cause })
  }
  return readKeySet(text, file)
}
