import { randomBytes } from 'node:crypto'
import { orThrow, type Reply, textOf } from '../../redis/command.ts'
import type { RedisLink } from '../../redis/link.ts'
import { Positions } from './positions.ts'
import { type RedisKeys, selectorOf, textOfSelector } from './redis-keys.ts'
import { CLOCK, PURGE } from './redis-scripts.ts'
import { isAnyHost, type Selector } from './selector.ts'

/** One purge, as everybody is told it. */
export interface RedisPurge {
  /** Grows with each purge: the server's clock in microseconds, or one more than the last. */
  position: number
  /** The position of the purge before, 0 for none; `null` where some may be missing. */
  previous: number | null
  /** Whether it was this process. */
  own: boolean
  selector: Selector
  mode: 'hard' | 'soft'
}

export interface RedisPurgeLogOptions {
  link: RedisLink
  keys: RedisKeys
  /** How long a purge is remembered: longer than anything that was fetched before it can be kept. */
  keepMs: number
  /** Milliseconds since 1970. */
  now?: () => number
  /** Purges in the stream that a process which was away reads; default 1,000. */
  streamLength?: number
  /** Purges of prefixes and patterns that are remembered one by one; default 256. */
  widePurges?: number
}

const FIELD = Buffer.from('m')

/**
 * The purges that machines share, in Redis. What they make unusable {@link RedisJudge} says.
 *
 * Each purge gets a **position**, given by Redis in one script that also notes it where readers look: by key, URL or tag
 * as a counter of its own ("generation"), for prefixes, patterns and paths in a list, for everything as a floor. A stored
 * response carries the position that its process knew *before* the request was sent ({@link Positions}); it is good while
 * that is no lower than the position of any purge that covers it. Hard and soft purges are kept apart.
 *
 * Why so, and not a check when it is written: a write would have to look at the counters of all its tags and store in one
 * step, and in a cluster these are on different nodes. Compared at each read, the order of writes does not matter: what
 * a slow machine writes after a purge carries a position from before it. No machine's clock takes part. Dropping what was
 * purged only frees memory, so that an index that is lost, full or late costs memory and not correctness.
 *
 * Bounded without SCAN or KEYS: every counter expires after `keepMs`; of too many wide purges the oldest becomes the
 * floor, which purges more than was asked, never less.
 *
 * Redis may forget: emptied, or failed over to a replica that was behind. Positions then go back behind what processes
 * know. Whoever notices repairs it: everything before is purged, once.
 */
export class RedisPurgeLog {
  readonly #link: RedisLink
  readonly #keys: RedisKeys
  readonly #keepMs: number
  readonly #now: () => number
  readonly #streamLength: number
  readonly #widePurges: number
  readonly #origin = randomBytes(9).toString('base64url')
  readonly #positions = new Positions()
  /** The server's clock less this one's, in ms. */
  #offset: number | undefined

  constructor(options: RedisPurgeLogOptions) {
    this.#link = options.link
    this.#keys = options.keys
    this.#keepMs = options.keepMs
    this.#now = options.now ?? Date.now
    this.#streamLength = options.streamLength ?? 1_000
    this.#widePurges = options.widePurges ?? 256
  }

  /** The position that this process knows. */
  get position(): number {
    return this.#positions.last
  }

  /** Milliseconds by which the server's clock is ahead; `undefined` before the first {@link sync}. */
  get clockOffset(): number | undefined {
    return this.#offset
  }

  /** The position that a response is later than, by when its request was sent. */
  positionAt(requestedAt: number): number {
    return this.#positions.before(requestedAt, this.#now())
  }

  learn(position: number): void {
    this.#positions.learn(position, this.#now())
  }

  /**
   * Asks for the clock and the last position, and keeps that from expiring while somebody follows it.
   *
   * @returns the position; 0 where there was no purge
   * @throws what Redis or the link throws
   */
  async sync(): Promise<number> {
    const known = this.position
    const from = performance.now()
    const [time, at] = orThrow(
      await this.#link.batch([
        { script: CLOCK, keys: [this.#keys.position], args: [] },
        ['get', this.#keys.position],
        ['pexpire', this.#keys.position, this.#keepMs],
      ]),
    )
    const [seconds, micros] = (time as Reply[]).map((part) => Number(textOf(part)))
    const server = (seconds ?? 0) * 1000 + (micros ?? 0) / 1000
    // It was read somewhere between the question and the answer.
    this.#offset = server - (this.#now() - (performance.now() - from) / 2)
    const position = positionOf(at)
    if (position < known) await this.repair(known)
    else this.learn(position)
    return this.position
  }

  /** Records a purge and tells every machine. @throws what Redis or the link throws */
  async append(selector: Selector, mode: 'hard' | 'soft'): Promise<number> {
    return (await this.#append(selector, mode, scopeOf(selector), this.position)) as number
  }

  /** Purges everything where Redis has forgotten a position that was known; once, whoever comes first. */
  async repair(known: number): Promise<void> {
    if ((await this.#append({ kind: 'all' }, 'hard', 'repair', known)) === null) await this.sync()
  }

  async #append(selector: Selector, mode: string, scope: string, known: number): Promise<number | null> {
    const { position, stream, wideAt, wide, floor, channel } = this.#keys
    const keys = [position, stream, wideAt, wide, floor, this.#generation(selector) ?? floor]
    const text = textOfSelector(selector)
    const args = [known, this.#keepMs, selector.kind, text, mode, this.#origin, channel]
    const bounds = [this.#streamLength, this.#widePurges, scope]
    const [at] = orThrow(await this.#link.batch([{ script: PURGE, keys, args: [...args, ...bounds] }]))
    if (at === null) return null
    const given = positionOf(at)
    this.learn(given)
    return given
  }

  #generation(selector: Selector): string | undefined {
    if (scopeOf(selector) !== 'name') return undefined
    return this.#keys.generation(selector.kind as 'key' | 'url' | 'tag', textOfSelector(selector))
  }

  /** Purges after a position, oldest first; what is left out was trimmed, and `previous` of the first shows it. */
  async since(position: number): Promise<RedisPurge[]> {
    const [entries] = orThrow(await this.#link.batch([['xrange', this.#keys.stream, `(${position}-0`, '+']]))
    const purges = (entries as [Buffer, Buffer[]][]).map(([, fields]) => {
      const at = fields.findIndex((field, index) => index % 2 === 0 && FIELD.equals(field))
      return this.parse(fields[at + 1]?.toString('utf8') ?? '')
    })
    return purges.filter((purge) => purge !== undefined)
  }

  /** A message of the channel or the stream; `undefined` for what is none. */
  parse(message: string): RedisPurge | undefined {
    const [, at, before, origin, mode, kind = '', text = ''] =
      /^(\d+) (\d+|-) (\S+) (hard|soft) (\S+) ([^]*)$/.exec(message) ?? []
    if (at === undefined) return undefined
    const selector = selectorOf(kind, text)
    return {
      position: Number(at),
      previous: before === '-' ? null : Number(before),
      own: origin === this.#origin,
      // What a later version can purge and this one cannot tell.
      selector: selector ?? { kind: 'all' },
      mode: mode as 'hard' | 'soft',
    }
  }
}

/** Paths without a host are not found by a name: any host may have one. */
function scopeOf(selector: Selector): 'name' | 'wide' | 'all' {
  switch (selector.kind) {
    case 'all':
      return 'all'
    case 'key':
    case 'tag':
      return 'name'
    case 'url':
      return isAnyHost(selector.url) ? 'wide' : 'name'
    case 'prefix':
    case 'pattern':
      return 'wide'
  }
}

/** A position as Redis has it; 0 for none. */
export function positionOf(reply: Reply): number {
  const text = textOf(reply)
  return text === null ? 0 : Number(text)
}
