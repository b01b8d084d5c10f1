import { stat } from 'node:fs/promises'

export interface FileWatchOptions {
  /** Absolute paths; asked before each look, for they change with the configuration. */
  files(): readonly string[]
  /** A file is another than it was, and has been so for one look: nobody is just writing it. */
  changed(): void
  /** Between two looks. */
  everyMs?: number
}

const LOOK_EVERY_MS = 1_000

/**
 * Looks once a second whether one of a few files has changed. By their state and not by the system's notices: these miss
 * network disks, and name another file where a symbolic link in the way is turned, as Kubernetes does with its ConfigMaps.
 */
export class FileWatch {
  readonly #options: FileWatchOptions
  #timer: NodeJS.Timeout | undefined
  /** As they were when they were last told of, and at the last look. */
  #told = new Map<string, string>()
  #seen = new Map<string, string>()
  #looking = false

  constructor(options: FileWatchOptions) {
    this.#options = options
  }

  get active(): boolean {
    return this.#timer !== undefined
  }

  /** What the files are now counts as known. Does nothing while it watches already. */
  async start(): Promise<void> {
    if (this.active) return
    const { everyMs = LOOK_EVERY_MS } = this.#options
    this.#timer = setInterval(() => void this.look(), everyMs).unref()
    this.#told = this.#seen = await this.#states()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** One look; the timer calls it. A file that was not watched before counts as known. */
  async look(): Promise<void> {
    // One that takes long, on a disk that is away, is not overtaken.
    if (this.#looking) return
    this.#looking = true
    const now = await this.#states()
    this.#looking = false
    if (!this.active) return
    const settled = [...now].every(([file, state]) => (this.#seen.get(file) ?? state) === state)
    const same = [...now].every(([file, state]) => (this.#told.get(file) ?? state) === state)
    this.#seen = now
    if (!settled) return
    this.#told = now
    if (!same) this.#options.changed()
  }

  async #states(): Promise<Map<string, string>> {
    const files = [...new Set(this.#options.files())]
    return new Map(await Promise.all(files.map(async (file): Promise<[string, string]> => [file, await stateOf(file)])))
  }
}

/** Other text for another file, or other content; a link counts as what it leads to. */
async function stateOf(file: string): Promise<string> {
  try {
    const { ino, size, mtimeMs, ctimeMs } = await stat(file)
    return `${ino} ${size} ${mtimeMs} ${ctimeMs}`
  } catch (error) {
    // Absent for the moment in which an editor replaces it, or for good: a state like any other.
    return String((error as NodeJS.ErrnoException).code)
  }
}
