import { setTimeout } from 'node:timers/promises'
import { orThrow, script, textOf } from '../../redis/command.ts'
import type { Machines } from '../machines.ts'
import type { Seal } from './seal.ts'
import { NOT_KNOWN, type Renewed } from './shared-renewals.ts'

/** Between two looks at what another machine has come to. */
const POLL_MS = 50
/** As long as what processes have told each other. */
const KEEP_MS = 30_000
/** Some machine is refreshing it. */
const UNDER_WAY = '-'

/** Whoever has waited in vain may have told of it meanwhile. */
const GIVE_UP = script(`
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
`)

export interface RedisRenewalsOptions extends Machines {
  link: NonNullable<Machines['link']>
  seal: Pick<Seal, 'seal' | 'open'>
  /** Epoch, ms. */
  now: () => number
}

/**
 * Has one machine refresh a session, and the others wait for what it has come to: a key in Redis by the digest of the refresh
 * token, which is there from the first who asks until the cookie from before is used up. What is in it is sealed for this
 * purpose and digest: whoever can read Redis gets no cookie, and whoever can write there ends or changes no session.
 *
 * While Redis is away, or slower than its `commandTimeout`, each machine refreshes for itself.
 */
export class RedisRenewals {
  readonly #options: RedisRenewalsOptions

  constructor(options: RedisRenewalsOptions) {
    this.#options = options
  }

  /**
   * Whose refresh it is.
   *
   * @param digest of the refresh token
   * @param mostMs how long another machine may take
   * @returns what another machine says; {@link NOT_KNOWN}: it is ours
   */
  async ask(digest: string, mostMs: number): Promise<Renewed> {
    if (!this.#options.link.ready) return NOT_KNOWN
    try {
      return await this.#ask(digest, mostMs)
    } catch {
      // The link says by itself that it is away.
      return NOT_KNOWN
    }
  }

  /** It has come to this here. */
  async tell(digest: string, renewed: Renewed): Promise<void> {
    const { link, seal, now } = this.#options
    const key = this.#keyOf(digest)
    try {
      if (renewed === NOT_KNOWN) await link.batch([{ script: GIVE_UP, keys: [key], args: [UNDER_WAY] }])
      else {
        const text = await seal.seal({ digest, renewed }, 'renewal', now() + KEEP_MS)
        await link.batch([['set', key, text, 'PX', KEEP_MS]])
      }
    } catch {
      // Whoever waits for it refreshes for itself.
    }
  }

  async #ask(digest: string, mostMs: number): Promise<Renewed> {
    const { link } = this.#options
    const key = this.#keyOf(digest)
    const until = performance.now() + mostMs
    for (;;) {
      const [taken, word] = orThrow(
        await link.batch([
          // Longer than a refresh takes: of a machine that has ended, nobody waits for a word.
          ['set', key, UNDER_WAY, 'PX', 2 * mostMs, 'NX'],
          ['get', key],
        ]),
      )
      if (taken !== null) return NOT_KNOWN
      const text = textOf(word)
      if (text !== null && text !== UNDER_WAY) return await this.#opened(text, digest)
      if (performance.now() + POLL_MS > until) return NOT_KNOWN
      await setTimeout(POLL_MS)
    }
  }

  async #opened(text: string, digest: string): Promise<Renewed> {
    const said = (await this.#options.seal.open(text, 'renewal')) as { digest?: unknown; renewed?: unknown } | undefined
    if (said?.digest !== digest) return NOT_KNOWN
    return typeof said.renewed === 'string' || said.renewed === null ? said.renewed : NOT_KNOWN
  }

  #keyOf(digest: string): string {
    return `${this.#options.prefix}:access:renewed:${digest}`
  }
}
