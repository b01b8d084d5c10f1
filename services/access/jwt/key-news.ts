import { orThrow, textOf } from '../../redis/command.ts'
import { Lookout } from '../../redis/lookout.ts'
import type { Machines } from '../machines.ts'
import { UNKNOWN_KEY_PAUSE_MS } from './turns.ts'

export interface KeyNewsOptions extends Machines {
  link: NonNullable<Machines['link']>
  /** What is told of. */
  topics: readonly string[]
  /** Another process has said this last. */
  heard: (topic: string, word: string) => void
  pollMs?: number
}

/** Whoever has not reached Redis for longer has read its keys anew. */
const KEPT_MS = 86_400_000

/**
 * What machines tell each other of issuers' keys: by topic the last word, in Redis, and a message that there is one. It says
 * that keys are others now, and never which: whoever can write to Redis must not be able to make keys that count, so each
 * machine reads them from their issuer itself.
 */
export class KeyNews {
  readonly #options: KeyNewsOptions
  readonly #lookout: Lookout
  readonly #channel: string
  readonly #unsent = new Map<string, string>()
  /** By topic: what was heard, or said here. */
  readonly #known = new Map<string, string>()

  constructor(options: KeyNewsOptions) {
    this.#options = options
    const { link, prefix, pollMs } = options
    this.#channel = `${prefix}:access:keys`
    const look = (): Promise<void> => this.#exchange()
    this.#lookout = new Lookout({ link, channel: this.#channel, look, ...(pollMs !== undefined && { pollMs }) })
    this.#lookout.look()
  }

  /** Now, or when Redis is there. */
  tell(topic: string, word: string): void {
    this.#known.set(topic, word)
    this.#unsent.set(topic, word)
    this.#lookout.look()
  }

  /**
   * Whose turn it is to look at the keys of a topic because of an unknown one.
   *
   * @returns 0: it is the caller's; else milliseconds until the next one
   * @throws what Redis throws
   */
  async takeTurn(topic: string): Promise<number> {
    const key = `${this.#keyOf(topic)}:turn`
    const [taken, leftMs] = orThrow(
      await this.#options.link.batch([
        ['set', key, '1', 'PX', UNKNOWN_KEY_PAUSE_MS, 'NX'],
        ['pttl', key],
      ]),
    )
    // It may end between the two.
    return taken === null ? Math.max(Number(leftMs), 1) : 0
  }

  close(): void {
    this.#lookout.close()
  }

  /** Who cannot tell can hear: a full Redis is still read. */
  async #exchange(): Promise<void> {
    const [sent] = await Promise.allSettled([this.#send()])
    await this.#read()
    if (sent.status === 'rejected') throw sent.reason
  }

  async #send(): Promise<void> {
    const { link } = this.#options
    for (const [topic, word] of this.#unsent) {
      const [kept] = await link.batch([
        ['set', this.#keyOf(topic), word, 'PX', KEPT_MS],
        // Who does not hear it looks.
        ['publish', this.#channel, '1'],
      ])
      orThrow([kept])
      if (this.#unsent.get(topic) === word) this.#unsent.delete(topic)
    }
  }

  async #read(): Promise<void> {
    const { link, topics, heard } = this.#options
    const words = orThrow(await link.batch(topics.map((topic) => ['get', this.#keyOf(topic)])))
    for (const [index, topic] of topics.entries()) {
      const word = textOf(words[index])
      // What is to be sent yet is newer.
      if (word === null || word === this.#known.get(topic) || this.#unsent.has(topic)) continue
      this.#known.set(topic, word)
      heard(topic, word)
    }
  }

  #keyOf(topic: string): string {
    return `${this.#options.prefix}:{access}:keys:${topic}`
  }
}
