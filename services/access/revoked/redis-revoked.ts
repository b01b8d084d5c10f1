import type { RedisClient } from '../../redis/client.ts'
import { orThrow, script, textOf } from '../../redis/command.ts'
import type { RedisLink } from '../../redis/link.ts'
import { isRevocation, type Revocation, type Revoked } from './revoked.ts'

export interface RedisRevokedOptions {
  link: Pick<RedisLink, 'batch' | 'subscriber' | 'ready' | 'on' | 'off'>
  /** Of every key and channel. */
  prefix: string
  revoked: Revoked
  log: Record<'info', (details: object, message: string) => void>
  /** Epoch, ms. */
  now: () => number
  /** Between two looks for what no message has told; default 500 ms. */
  pollMs?: number
}

/** More than this, nobody keeps in memory either. */
const MOST = 100_000

/**
 * What has ended goes, what is revoked comes, of too many those that end first go, and who looks sees by the number that
 * there is more.
 */
const ADD = script(`
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
local added = 0
for i = 2, #ARGV, 2 do added = added + redis.call('ZADD', KEYS[1], 'GT', 'CH', ARGV[i], ARGV[i + 1]) end
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -${MOST + 1})
if added > 0 then redis.call('INCR', KEYS[2]) end
return added
`)

/**
 * Carries revocations between machines: a sorted set by their end in Redis, and a message that there is more. What a message
 * did not tell, because it was lost or the connection was, is found by a number that is looked at twice a second, so that
 * a revocation is in force on every machine that reaches Redis within a second. What is revoked while it is away is told
 * once it is back.
 */
export class RedisRevoked {
  readonly #options: RedisRevokedOptions
  readonly #subscriber: RedisClient
  readonly #timer: NodeJS.Timeout
  readonly #keys: readonly [set: string, number: string]
  readonly #channel: string
  /** As it was when the set was last read. */
  #seen: string | null | undefined
  #looking = false
  #again = false
  #unsent: Revocation[] = []
  #subscribed = false
  #closed = false

  constructor(options: RedisRevokedOptions) {
    this.#options = options
    const { link, prefix, pollMs = 500 } = options
    // One slot of a cluster.
    this.#keys = [`${prefix}:{access}:revoked`, `${prefix}:{access}:revoked-number`]
    this.#channel = `${prefix}:access:revoked`
    this.#subscriber = link.subscriber()
    this.#subscriber.on('message', this.#onMessage)
    this.#subscriber.on('ready', this.#subscribe)
    link.on('ready', this.look)
    this.#timer = setInterval(this.#poll, pollMs).unref()
    if (this.#subscriber.status === 'ready') this.#subscribe()
    // What this machine has from before is everybody's.
    this.#unsent = options.revoked.list()
    this.look()
  }

  /** Tells the other machines; at once, or when Redis is there. */
  publish(list: readonly Revocation[]): void {
    if (list.length === 0) return
    const { link, log } = this.#options
    if (!link.ready) {
      log.info({ revoked: list.length }, 'Other machines hear of what is revoked when Redis is back')
    }
    this.#unsent = [...this.#unsent, ...list].slice(-MOST)
    this.look()
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#timer)
    this.#subscriber.off('message', this.#onMessage)
    this.#subscriber.off('ready', this.#subscribe)
    this.#options.link.off('ready', this.look)
  }

  readonly #subscribe = (): void => {
    this.#subscriber.subscribe(this.#channel).then(
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
    if (channel === this.#channel) this.look()
  }

  readonly #poll = (): void => {
    if (this.#subscriber.status !== 'ready') this.#subscribed = false
    else if (!this.#subscribed) this.#subscribe()
    this.look()
  }

  /** Sends what waits, and reads what is new. One at a time. */
  readonly look = (): void => {
    if (this.#closed || !this.#options.link.ready) return
    if (this.#looking) {
      this.#again = true
      return
    }
    this.#looking = true
    this.#again = false
    this.#exchange()
      // The link is away or slow: the next look comes with its `ready`, or the poll.
      .catch(() => undefined)
      .finally(() => {
        this.#looking = false
        if (this.#again) this.look()
      })
  }

  async #exchange(): Promise<void> {
    const { link, now, revoked } = this.#options
    const [set, number] = this.#keys
    const sending = this.#unsent.slice(0, 1_000)
    if (sending.length > 0) {
      const args = sending.flatMap((one) => [one.until, memberOf(one)])
      orThrow(
        await link.batch([
          { script: ADD, keys: [set, number], args: [now(), ...args] },
          ['publish', this.#channel, '1'],
        ]),
      )
      this.#unsent = this.#unsent.slice(sending.length)
      if (this.#unsent.length > 0) this.#again = true
    }
    const [told] = orThrow(await link.batch([['get', number]]))
    const seen = textOf(told)
    if (seen === this.#seen) return
    const [members] = orThrow(await link.batch([['zrange', set, `(${now()}`, '+inf', 'BYSCORE']]))
    this.#seen = seen
    revoked.add((members as unknown[]).map((member) => parsed(textOf(member))).filter((one) => isRevocation(one)))
  }
}

const memberOf = ({ kind, name, at, until }: Revocation): string => JSON.stringify([kind, name, at, until])

function parsed(member: string | null): unknown {
  try {
    const [kind, name, at, until] = JSON.parse(member ?? '') as unknown[]
    return { kind, name, at, until }
  } catch {
    return undefined
  }
}
