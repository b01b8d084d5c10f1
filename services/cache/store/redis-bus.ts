import type { RedisClient } from '../../redis/client.ts'
import type { RedisLink } from '../../redis/link.ts'
import type { RedisPurge, RedisPurgeLog } from './redis-purge-log.ts'
import type { Selector } from './selector.ts'

export interface RedisBusOptions {
  link: RedisLink
  /** Of the tier, where there is one. */
  log: RedisPurgeLog
  /** Where purges are told. */
  channel: string
  /** Between two looks for messages that were lost without a trace; default 1 s. */
  pollMs?: number
}

export interface RedisBusStats {
  /** `following`: nothing is known to be missing. */
  state: 'following' | 'away'
  /** Purges of other machines that came. */
  received: number
  /** Of these, read from the stream because their message was lost. */
  recovered: number
  gaps: number
}

type PurgeListener = (selector: Selector, mode: 'hard' | 'soft') => void

/**
 * Tells the purges of other machines (and processes) as they happen: by a message within milliseconds. Each message names
 * the one before; where that is not the last that came, and after each connection, what is missing is read from a stream
 * of the last purges. What is missing there, too, is a gap: anything may have been purged. A message that is lost without
 * a successor is found by asking for the last position, once a second.
 *
 * A tier's `purge` tells the bus by itself: {@link publish} is for those that have none.
 */
export class RedisBus {
  readonly #link: RedisLink
  readonly #log: RedisPurgeLog
  readonly #channel: string
  readonly #subscriber: RedisClient
  readonly #timer: NodeJS.Timeout
  readonly #purgeListeners: PurgeListener[] = []
  readonly #gapListeners: (() => void)[] = []
  /** The last purge that was told; `undefined` before the first look. */
  #last: number | undefined
  #following = false
  #subscription: 'none' | 'asked' | 'there' = 'none'
  #catchingUp: Promise<void> | undefined
  #again = false
  #closed = false
  #received = 0
  #recovered = 0
  #gaps = 0

  constructor(options: RedisBusOptions) {
    this.#link = options.link
    this.#log = options.log
    this.#channel = options.channel
    this.#subscriber = options.link.subscriber()
    this.#subscriber.on('message', this.#onMessage)
    this.#subscriber.on('ready', this.#subscribe)
    this.#subscriber.on('close', this.#lost)
    this.#link.on('ready', this.#look)
    this.#timer = setInterval(this.#poll, options.pollMs ?? 1_000).unref()
    if (this.#subscriber.status === 'ready') this.#subscribe()
  }

  /** Told of every purge of another process, in order. Not of this one's own. */
  onPurge(listener: PurgeListener): void {
    this.#purgeListeners.push(listener)
  }

  /**
   * Told when purges may have been missed: what is in memory can no longer be trusted. Also at the first connection, since
   * nobody knows what was purged until then.
   */
  onGap(listener: () => void): void {
    this.#gapListeners.push(listener)
  }

  /** @throws what Redis or the link throws */
  async publish(selector: Selector, mode: 'hard' | 'soft'): Promise<void> {
    await this.#log.append(selector, mode)
  }

  stats(): RedisBusStats {
    return {
      state: this.#following ? 'following' : 'away',
      received: this.#received,
      recovered: this.#recovered,
      gaps: this.#gaps,
    }
  }

  /** The link stays open. */
  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#timer)
    this.#subscriber.off('message', this.#onMessage)
    this.#subscriber.off('ready', this.#subscribe)
    this.#subscriber.off('close', this.#lost)
    this.#link.off('ready', this.#look)
    await this.#catchingUp
  }

  /** First listen, then look: what happens in between is seen twice, and not missed. */
  readonly #subscribe = (): void => {
    this.#subscription = 'asked'
    this.#subscriber.subscribe(this.#channel).then(
      () => {
        this.#subscription = 'there'
        this.#look()
      },
      () => {
        // The next poll asks again, or the next connection.
        this.#subscription = 'none'
      },
    )
  }

  readonly #lost = (): void => {
    this.#subscription = 'none'
    this.#following = false
  }

  readonly #poll = (): void => {
    if (this.#subscription === 'none' && this.#subscriber.status === 'ready') this.#subscribe()
    this.#look()
  }

  readonly #onMessage = (channel: string, text: string): void => {
    if (channel !== this.#channel) return
    const purge = this.#log.parse(text)
    if (purge === undefined) return
    // What comes while it is being looked for may be found or not: once more.
    if (this.#catchingUp !== undefined || purge.previous !== this.#last) this.#look()
    else this.#tell(purge)
  }

  readonly #look = (): void => {
    if (this.#closed || !this.#link.ready) return
    if (this.#catchingUp !== undefined) {
      this.#again = true
      return
    }
    this.#catchingUp = this.#catchUp().finally(() => {
      this.#catchingUp = undefined
      if (this.#again) this.#look()
    })
  }

  async #catchUp(): Promise<void> {
    this.#again = false
    try {
      const position = await this.#log.sync()
      if (this.#last === undefined) this.#gap(position)
      else if (position !== this.#last) await this.#recover(this.#last, position)
      this.#following = this.#subscription === 'there'
    } catch {
      // The link is away or slow: the next look comes with its `ready`, or the next poll.
      this.#following = false
    }
  }

  async #recover(last: number, position: number): Promise<void> {
    const purges = await this.#log.since(last)
    if (this.#closed) return
    const isWhole = purges.every(({ previous }, index) => previous === (purges[index - 1]?.position ?? last))
    if (!isWhole || (purges.at(-1)?.position ?? last) < position) {
      this.#gap(Math.max(position, purges.at(-1)?.position ?? 0))
      return
    }
    for (const purge of purges) {
      if (!purge.own) this.#recovered++
      this.#tell(purge)
    }
  }

  #tell(purge: RedisPurge): void {
    this.#last = purge.position
    this.#log.learn(purge.position)
    if (purge.own) return
    this.#received++
    for (const listener of this.#purgeListeners) listener(purge.selector, purge.mode)
  }

  #gap(position: number): void {
    if (this.#closed) return
    this.#last = position
    this.#gaps++
    for (const listener of this.#gapListeners) listener()
  }
}
