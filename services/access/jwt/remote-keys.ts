import { Agent } from 'undici'
import type { Clock } from '../../upstream/clock.ts'
import { fetchText, withoutQuery } from './fetch-text.ts'
import { type KeySet, readKeySet } from './key-set.ts'
import type { KeySource, KeySourceReport } from './key-source.ts'
import { UnknownKeys } from './unknown-keys.ts'

/** Cache-Control does not make the gateway ask more often than this; `maxAge` of the configuration may. */
const SHORTEST_MS = 30_000
const FIRST_RETRY_MS = 1_000
const LONGEST_RETRY_MS = 60_000
const MOST_BYTES = 512 * 1024

export interface RemoteKeysOptions {
  url: string
  /** Keys are read again after this, or sooner where their Cache-Control says so. */
  maxAgeMs: number
  timeoutMs: number
  clock: Clock
  /** Told of each failure in a row's first, and of what has come after failures. */
  failed: (error: Error) => void
  /** Of all processes, whose turn it is to look for an unknown key: 0 is ours, else milliseconds until the next one. */
  takeTurn: () => Promise<number>
  /** Others may not know these keys: they were read here, and are others than before, or somebody waits to hear of it. */
  tell: (set: KeySet) => void
}

/** Whom to tell of what has been read: others wait for it; they may not know it; they have told us. */
type Telling = 'always' | 'changes' | 'nothing'

/**
 * Keys at a URL (RFC 7517 §5). They are read in the background: at the start, whenever they are older than they may be, and
 * when a token names one that is not there. Keys that were read once stay in force while they cannot be read again, which is
 * tried after 1 s, 2 s, … 60 s; there is one request at a time, whoever asks.
 */
export class RemoteKeys implements KeySource {
  changed: () => void = () => {}
  readonly #options: RemoteKeysOptions
  readonly #agent: Agent
  #set: KeySet | undefined
  #etag: string | undefined
  #reading: Promise<void> | undefined
  #cancel: (() => void) | undefined
  readonly #unknown: UnknownKeys
  #heldAt: number | null = null
  #failuresInRow = 0
  #closed = false
  readonly #counts = { fetches: 0, failures: 0, changes: 0 }

  constructor(options: RemoteKeysOptions) {
    this.#options = options
    const { timeoutMs, clock, takeTurn } = options
    this.#unknown = new UnknownKeys({ clock, timeoutMs, takeTurn, look: () => this.#read('always') })
    // One request at a time needs no more.
    this.#agent = new Agent({ connections: 1, connect: { timeout: timeoutMs }, headersTimeout: timeoutMs })
  }

  get current(): KeySet | undefined {
    return this.#set
  }

  start(): void {
    void this.#read('changes')
  }

  async first(): Promise<KeySet | undefined> {
    // After a failure nobody waits: the next attempt has its time.
    if (this.#set === undefined && (this.#failuresInRow === 0 || this.#reading !== undefined)) {
      await this.#read('changes')
    }
    return this.#set
  }

  async another(than: KeySet): Promise<KeySet | undefined> {
    if (this.#set === than) await (this.#reading ?? this.#unknown.ask())
    return this.#set === than ? undefined : this.#set
  }

  /** What is being read may have begun before the change: once more then. */
  async refresh(): Promise<void> {
    if (this.#reading !== undefined) await this.#reading
    await this.#read('nothing')
  }

  async heard(digest: string): Promise<void> {
    // It may be these that are being read.
    if (this.#reading !== undefined) await this.#reading
    if (this.#set?.digest !== digest) await this.#read('nothing')
    this.#unknown.told()
  }

  adopt(text: string): void {
    try {
      this.#take(readKeySet(text, 'another process'))
      // It tells of what was read here, and not of this.
      this.#etag = undefined
      this.#heldAt = this.#options.clock.now()
      this.#unknown.told()
    } catch {
      // Whoever has read it has taken it: it cannot fail here.
    }
  }

  report(): KeySourceReport {
    const ageMs = this.#heldAt === null ? null : this.#options.clock.now() - this.#heldAt
    return { keys: this.#set?.size ?? 0, ...this.#counts, ageMs }
  }

  close(): void {
    this.#closed = true
    this.#cancel?.()
    void this.#agent.destroy()
  }

  #read(telling: Telling): Promise<void> {
    if (this.#closed) return Promise.resolve()
    this.#reading ??= this.#fetch(telling).finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  async #fetch(telling: Telling): Promise<void> {
    const before = this.#set
    await this.#fetchOnce()
    if (this.#set === undefined || this.#closed) return
    if (telling === 'always' || (telling === 'changes' && this.#set !== before)) this.#options.tell(this.#set)
  }

  async #fetchOnce(): Promise<void> {
    const { url, timeoutMs, maxAgeMs, clock, failed } = this.#options
    this.#counts.fetches++
    try {
      const bounds = { agent: this.#agent, timeoutMs, mostBytes: MOST_BYTES, etag: this.#etag }
      const fetched = await fetchText(url, bounds)
      // `close` cuts what is under way.
      if (this.#closed) return
      if (fetched.text !== null) this.#take(readKeySet(fetched.text, withoutQuery(url)))
      this.#etag = fetched.etag
      this.#heldAt = clock.now()
      this.#failuresInRow = 0
      this.#schedule(Math.min(maxAgeMs, Math.max(fetched.maxAgeMs ?? maxAgeMs, SHORTEST_MS)))
    } catch (error) {
      if (this.#closed) return
      this.#counts.failures++
      if (this.#failuresInRow === 0) failed(error as Error)
      this.#schedule(Math.min(FIRST_RETRY_MS * 2 ** this.#failuresInRow, LONGEST_RETRY_MS))
      this.#failuresInRow = Math.min(this.#failuresInRow + 1, 16)
    }
  }

  #take(set: KeySet): void {
    if (set.digest === this.#set?.digest) return
    this.#set = set
    this.#counts.changes++
    this.changed()
  }

  #schedule(ms: number): void {
    this.#cancel?.()
    this.#cancel = this.#options.clock.after(ms, () => void this.#read('changes'))
  }
}
