import type { RedisLink } from '../redis/link.ts'
import { textOf } from '../redis/command.ts'

export interface RevocationsOptions {
  /** Tells other machines, and hears of them; `null` without Redis. */
  link: Pick<RedisLink, 'batch' | 'subscriber' | 'ready' | 'on' | 'off'> | null
  /** Of keys and channels in Redis. */
  prefix: string
  log: Record<'info' | 'error', (details: object, message: string) => void>
  /** Milliseconds since 1970. */
  now: () => number
  /** What was revoked before, in the gateway whose place is taken. */
  previous?: Revocations | null
}

/** More keys than this at a time nobody revokes before they are gone from the files. */
const MOST = 10_000

/**
 * Keys that are dead, whatever the consumers' files still say: those are read by each machine in its own time. Known at once
 * in this process; by Redis in those of other machines, as fast as it passes a message on, and when one of them starts or
 * finds Redis again. Without Redis, other machines hear of it by their files alone.
 */
export class Revocations {
  readonly #options: RevocationsOptions
  readonly #revoked: Set<string>
  readonly #key: string
  #started = false

  constructor(options: RevocationsOptions) {
    this.#revoked = new Set(options.previous?.list() ?? [])
    this.#options = { ...options, previous: null }
    this.#key = `${options.prefix}:access:revoked`
  }

  has(keyId: string): boolean {
    return this.#revoked.size > 0 && this.#revoked.has(keyId)
  }

  /** The latest last. */
  list(): string[] {
    return [...this.#revoked]
  }

  /** Hears of other machines from now on. */
  start(): void {
    const { link } = this.#options
    if (link === null || this.#started) return
    this.#started = true
    const subscriber = link.subscriber()
    subscriber.on('message', this.#onMessage)
    subscriber.on('ready', this.#onReady)
    if (subscriber.status === 'ready') this.#onReady()
    link.on('ready', this.#onThere)
    if (link.ready) this.#onThere()
  }

  stop(): void {
    const { link } = this.#options
    if (link === null || !this.#started) return
    this.#started = false
    link.subscriber().off('message', this.#onMessage).off('ready', this.#onReady)
    link.off('ready', this.#onThere)
  }

  /** Here at once; resolves when Redis has it, or does not. */
  async revoke(keyId: string): Promise<void> {
    this.#add(keyId)
    const { link, now, log } = this.#options
    if (link === null) return
    try {
      await link.batch([
        ['zadd', this.#key, now(), keyId],
        ['zremrangebyrank', this.#key, 0, -(MOST + 1)],
        ['publish', this.#key, keyId],
      ])
    } catch (error) {
      log.error({ err: error, key: keyId }, 'Other machines have not heard that a key is revoked: Redis is away')
    }
  }

  #add(keyId: string): void {
    if (this.#revoked.size >= MOST) {
      const [oldest] = this.#revoked
      if (oldest !== undefined) this.#revoked.delete(oldest)
    }
    this.#revoked.add(keyId)
  }

  readonly #onMessage = (channel: string, text: string): void => {
    if (channel === this.#key) this.#add(text)
  }

  /** Whatever was told while nobody listened is read. */
  readonly #onReady = (): void => {
    void this.#follow()
  }

  readonly #onThere = (): void => {
    void this.#catchUp()
  }

  async #follow(): Promise<void> {
    try {
      await this.#options.link?.subscriber().subscribe(this.#key)
    } catch {
      // It is away again: `ready` comes once more.
      return
    }
    await this.#catchUp()
  }

  async #catchUp(): Promise<void> {
    const { link, log } = this.#options
    if (link === null) return
    try {
      const own = this.list()
      const [reply] = await link.batch([['zrange', this.#key, 0, -1]])
      if (!Array.isArray(reply)) return
      const known = new Set(reply.map((item) => textOf(item)).filter((item) => item !== null))
      for (const keyId of known) this.#add(keyId)
      // What was revoked here while Redis was away is told now.
      for (const keyId of own) if (!known.has(keyId)) await this.revoke(keyId)
    } catch (error) {
      log.info({ err: error }, 'Revoked keys of other machines cannot be read')
    }
  }
}
