import type { RedisClient } from './client.ts'
import type { RedisLink } from './link.ts'

export interface LookoutOptions {
  link: Pick<RedisLink, 'subscriber' | 'ready' | 'on' | 'off'>
  /** A message on it says that there is more to see. */
  channel: string
  /** One at a time, and only while Redis is there. What it throws is nothing to worry about: the next look makes up for it. */
  look: () => Promise<void>
  /** Between two looks for what no message has told; default 500 ms. */
  pollMs?: number
}

/**
 * When to look at what machines share in Redis: when a message says so, when Redis is there again, and twice a second,
 * because a message that is lost is never sent again. So whatever changes there is known to every machine within a second.
 */
export class Lookout {
  readonly #options: LookoutOptions
  readonly #subscriber: RedisClient
  readonly #timer: NodeJS.Timeout
  #looking = false
  #again = false
  #subscribed = false
  #closed = false

  constructor(options: LookoutOptions) {
    this.#options = options
    const { link, pollMs = 500 } = options
    this.#subscriber = link.subscriber()
    this.#subscriber.on('message', this.#onMessage)
    this.#subscriber.on('ready', this.#subscribe)
    link.on('ready', this.look)
    this.#timer = setInterval(this.#poll, pollMs).unref()
    if (this.#subscriber.status === 'ready') this.#subscribe()
  }

  /** Looks now, or as soon as the look that is under way is over. */
  readonly look = (): void => {
    if (this.#closed || !this.#options.link.ready) return
    if (this.#looking) {
      this.#again = true
      return
    }
    this.#looking = true
    this.#again = false
    this.#options
      .look()
      // The link is away or slow: the next look comes with its `ready`, or the poll.
      .catch(() => undefined)
      .finally(() => {
        this.#looking = false
        if (this.#again) this.look()
      })
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#timer)
    this.#subscriber.off('message', this.#onMessage)
    this.#subscriber.off('ready', this.#subscribe)
    this.#options.link.off('ready', this.look)
  }

  readonly #subscribe = (): void => {
    this.#subscriber.subscribe(this.#options.channel).then(
      () => {
        this.#subscribed = true
        this.look()
      },
      () => {
        // The poll asks again.
        this.#subscribed = false
      },
    )
  }

  readonly #onMessage = (channel: string): void => {
    if (channel === this.#options.channel) this.look()
  }

  readonly #poll = (): void => {
    if (this.#subscriber.status !== 'ready') this.#subscribed = false
    else if (!this.#subscribed) this.#subscribe()
    this.look()
  }
}
