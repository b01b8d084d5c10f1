import { orThrow, script, textOf } from '../../redis/command.ts'
import type { RedisLink } from '../../redis/link.ts'
import { Lookout } from '../../redis/lookout.ts'
import { isRevocation, type Revocation, type Revoked } from './revoked.ts'

export interface RedisRevokedOptions {
  link: Pick<RedisLink, 'batch' | 'subscriber' | 'ready' | 'on' | 'off'>
  /** Of every key and channel. */
  prefix: string
  revoked: Revoked
  log: Record<'info' | 'error', (details: object, message: string) => void>
  /** Epoch, ms. */
  now: () => number
  /** Between two looks for what no message has told; default 500 ms. */
  pollMs?: number
}

/** More than this, nobody keeps in memory either. */
const MOST = 100_000
/** In one script: Redis does nothing else meanwhile. */
const MOST_AT_ONCE = 1_000

/**
 * What has ended goes, what is revoked comes, of too many those that end first go, and who looks sees by the number that
 * there is more. It begins with the time, so that a server that has lost it never shows one again.
 */
const ADD = script(`
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
local added = 0
for i = 2, #ARGV, 2 do added = added + redis.call('ZADD', KEYS[1], 'GT', 'CH', ARGV[i], ARGV[i + 1]) end
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -${MOST + 1})
if added > 0 and redis.call('INCR', KEYS[2]) == 1 then
  local time = redis.call('TIME')
  redis.call('SET', KEYS[2], time[1] .. string.format('%06d', time[2]))
end
return added
`)

/**
 * Carries revocations between machines: a sorted set by their end in Redis, a number that grows with it, and a message that
 * there is more. A revocation is in force on every machine that reaches Redis within a second, whatever becomes of the
 * message. What is revoked while Redis is away is told once it is back.
 */
export class RedisRevoked {
  readonly #options: RedisRevokedOptions
  readonly #keys: readonly [set: string, number: string]
  readonly #channel: string
  readonly #lookout: Lookout
  /** As it was when the set was last read. */
  #seen: string | null | undefined
  #unsent: Revocation[]
  #isRefused = false

  constructor(options: RedisRevokedOptions) {
    this.#options = options
    const { link, prefix, pollMs, revoked } = options
    // One slot of a cluster.
    this.#keys = [`${prefix}:{access}:revoked`, `${prefix}:{access}:revoked-number`]
    this.#channel = `${prefix}:access:revoked`
    // What this machine has from before is everybody's.
    this.#unsent = revoked.list()
    const look = (): Promise<void> => this.#look()
    this.#lookout = new Lookout({ link, channel: this.#channel, look, ...(pollMs !== undefined && { pollMs }) })
    link.on('ready', this.#tellAll)
    this.#lookout.look()
  }

  /** Tells the other machines; at once, or when Redis is there. */
  publish(list: readonly Revocation[]): void {
    if (list.length === 0) return
    const { link, log } = this.#options
    if (!link.ready) {
      log.info({ revoked: list.length }, 'Other machines hear of what is revoked when Redis is back')
    }
    this.#unsent = [...this.#unsent, ...list].slice(-MOST)
    this.#lookout.look()
  }

  close(): void {
    this.#options.link.off('ready', this.#tellAll)
    this.#lookout.close()
  }

  /** The server may have lost what it had; where it has not, nothing changes. */
  readonly #tellAll = (): void => this.publish(this.#options.revoked.list())

  /** One that is away is told of by its link; one that is there and refuses, full or by its ACL, nobody else sees. */
  async #look(): Promise<void> {
    const { link, log } = this.#options
    try {
      await this.#exchange()
      if (this.#isRefused) log.info({}, 'Machines hear of what is revoked again')
      this.#isRefused = false
    } catch (error) {
      if (!this.#isRefused && link.ready) {
        this.#isRefused = true
        log.error({ reason: (error as Error).message }, 'Machines do not hear of what is revoked: Redis refuses')
      }
      throw error
    }
  }

  /** Who cannot tell can hear: a full Redis is still read. */
  async #exchange(): Promise<void> {
    const [sent] = await Promise.allSettled([this.#send()])
    await this.#read()
    if (sent.status === 'rejected') throw sent.reason
  }

  /** What waits. */
  async #send(): Promise<void> {
    const { link, now } = this.#options
    const [set, number] = this.#keys
    while (this.#unsent.length > 0) {
      const sending = this.#unsent.slice(0, MOST_AT_ONCE)
      const args = sending.flatMap((one) => [one.until, memberOf(one)])
      const [added] = await link.batch([
        { script: ADD, keys: [set, number], args: [now(), ...args] },
        // Who does not hear it looks.
        ['publish', this.#channel, '1'],
      ])
      orThrow([added])
      this.#unsent = this.#unsent.slice(sending.length)
    }
  }

  /** What is new. */
  async #read(): Promise<void> {
    const { link, now, revoked } = this.#options
    const [set, number] = this.#keys
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
