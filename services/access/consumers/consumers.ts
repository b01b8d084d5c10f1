import { readFileSync } from 'node:fs'
import { FileWatch } from '../../configuration/file-watch.ts'
import { ConsumersFileError } from '../errors.ts'
import { Directory, type ReadConsumer } from './directory.ts'
import { digestOfConsumersFile, readConsumersFile } from './consumers-file.ts'
import type { ConsumerOptions } from './options.ts'

export interface ConsumersOptions {
  /** Of the configuration. */
  inline: readonly ConsumerOptions[]
  /** Absolute; `null` without one. */
  file: string | null
  /** Those that consumers of the file may name; by default, any. */
  tiers?: readonly string[]
  log: Record<'info' | 'error', (details: object, message: string) => void>
  /** Whose keys were used when. */
  previous?: Consumers | null
}

/**
 * Two looks at the file tell that it has changed and is whole again: what is written there, a key that is gone above all,
 * is in force within a second in every process.
 */
const LOOK_EVERY_MS = 250

/**
 * Who there is: the consumers of the configuration and those of a file, which is read again whenever it changes. What
 * cannot be used leaves the ones before in force, and is logged.
 */
export class Consumers {
  /** Called when others are in force: what was found out of them before may hold no longer. */
  changed: () => void = () => {}
  readonly #options: ConsumersOptions
  readonly #watch: FileWatch | null
  #directory: Directory
  /** Of the file's text in force. */
  #digest: string | null = null

  /** @throws HR_ACCESS_CONSUMERS_FILE, HR_ACCESS_CONSUMER_CONFLICT */
  constructor(options: ConsumersOptions) {
    const { file, previous = null } = options
    this.#options = { ...options, previous: null }
    this.#directory = this.#read(previous?.directory ?? null)
    this.#watch =
      file === null
        ? null
        : new FileWatch({ files: () => [file], changed: () => void this.reload(), everyMs: LOOK_EVERY_MS })
  }

  /** In force. Another object whenever anything has changed. */
  get directory(): Directory {
    return this.#directory
  }

  /** Begins to follow the file. */
  async start(): Promise<void> {
    const { file } = this.#options
    if (file === null) return
    await this.#watch?.start()
    // Between the first look and this one upstreams may have been waited for.
    if (digestOfConsumersFile(file) !== this.#digest) this.reload()
  }

  stop(): void {
    this.#watch?.stop()
  }

  /** Reads the file again, now. @returns why what it says cannot be used; `null` where it is in force */
  reload(): Error | null {
    const { log, file } = this.#options
    try {
      this.#directory = this.#read(this.#directory)
      this.changed()
      log.info({ file, consumers: this.#directory.consumers.length }, 'Consumers read again')
      return null
    } catch (error) {
      log.error({ code: (error as { code?: string }).code, file }, (error as Error).message)
      return error as Error
    }
  }

  #read(previous: Directory | null): Directory {
    const { inline, file, tiers } = this.#options
    const read = file === null ? null : readConsumersFile(file, tiers)
    const all = [...inline, ...(read?.consumers ?? [])]
    const directory = new Directory(all.map(withSecrets), previous)
    this.#digest = read?.digest ?? null
    return directory
  }
}

/** A shared secret that is shorter than this can be guessed from one signature. */
const SHORTEST_SECRET = 16

function withSecrets(consumer: ConsumerOptions): ReadConsumer {
  const secrets = consumer.secrets.map(({ id, secret, file }) => {
    const text = secret ?? (file === null ? '' : secretIn(file, consumer.name))
    if (text.length < SHORTEST_SECRET) {
      throw new ConsumersFileError(
        `'${consumer.name}'`,
        `the secret '${id}' has less than ${SHORTEST_SECRET} characters`,
      )
    }
    return { id, secret: text }
  })
  return { ...consumer, secrets }
}

function secretIn(file: string, name: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '')
  } catch (cause) {
    throw new ConsumersFileError(`'${name}'`, `${file}: ${(cause as NodeJS.ErrnoException).code}`, { cause })
  }
}
