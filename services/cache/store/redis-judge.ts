import { type Command, orThrow, type Reply, textOf } from '../../redis/command.ts'
import type { RedisLink } from '../../redis/link.ts'
import { type RedisKeys, selectorOf } from './redis-keys.ts'
import { positionOf, type RedisPurgeLog } from './redis-purge-log.ts'
import { urlMatcher, urlOf } from './selector.ts'

/** What is known of a stored response when it is judged. */
export interface Judged {
  key: string
  tags: readonly string[]
  /** What its fill was later than. */
  position: number
}

/** What purges leave of a stored response. */
export type Standing = 'good' | 'invalidated' | 'purged'

/** Positions of the last purges of each mode; 0 for none. */
interface Last {
  hard: number
  soft: number
}

interface Wide extends Last {
  covers: (url: string) => boolean
}

/** Says which of the stored responses that were read the purges of {@link RedisPurgeLog} leave. */
export class RedisJudge {
  readonly #link: RedisLink
  readonly #keys: RedisKeys
  readonly #log: RedisPurgeLog
  /** Purges of prefixes, patterns and paths, as last read, and the position of the last of them. */
  #wide: readonly Wide[] = []
  #wideAt = 0

  constructor({ link, keys, log }: { link: RedisLink; keys: RedisKeys; log: RedisPurgeLog }) {
    this.#link = link
    this.#keys = keys
    this.#log = log
  }

  /** What has to be asked for to judge entries with these keys, as one command; {@link judge} takes the reply. */
  question(keys: readonly string[]): Command {
    const { position, wideAt, floor } = this.#keys
    const generations = keys.flatMap((key) => [
      this.#keys.generation('key', key),
      this.#keys.generation('url', urlOf(key)),
    ])
    return ['mget', position, wideAt, floor, ...generations]
  }

  /**
   * Says what purges leave of responses.
   *
   * @param asked the keys of {@link question}, and `known`: the log's position when it was asked
   * @param candidates what was stored under each of these keys
   * @returns in the same order
   * @throws what Redis or the link throws, where more has to be asked
   */
  async judge(
    asked: { keys: readonly string[]; known: number; reply: Reply },
    candidates: readonly (readonly Judged[])[],
  ): Promise<Standing[][]> {
    const [at, wideAt, floor, ...generations] = asked.reply as Reply[]
    if (positionOf(at) < asked.known) {
      await this.#log.repair(asked.known)
      return candidates.map((responses) => responses.map(() => 'purged'))
    }
    this.#log.learn(positionOf(at))
    const floors = [lastOf(floor), await this.#loadWide(positionOf(wideAt))]
    const tags = await this.#tagGenerations(candidates)
    return candidates.map((responses, index) => {
      const named = [...floors, lastOf(generations[2 * index]), lastOf(generations[2 * index + 1])]
      return responses.map((response) => {
        const tagged = response.tags.map((tag) => tags.get(tag) as Last)
        return standing(response, [...named, ...tagged], this.#wide)
      })
    })
  }

  /** @returns what was in the floor when the list was read, or what stands for a list that is not there */
  async #loadWide(wideAt: number): Promise<Last> {
    if (wideAt <= this.#wideAt) return NEVER
    // In this order: what leaves the list in between is in the floor.
    const [at, list, floor] = orThrow(
      await this.#link.batch([
        ['get', this.#keys.wideAt],
        ['lrange', this.#keys.wide, 0, -1],
        ['get', this.#keys.floor],
      ]),
    )
    const wide = (list as Buffer[]).map((item) => parseWide(item.toString('utf8')))
    const last = wide.at(-1) ?? NEVER
    const { hard, soft } = lastOf(floor)
    const version = positionOf(at)
    // The list was evicted: nobody knows what was in it.
    if (Math.max(hard, soft, last.hard, last.soft) < version) return { hard: version, soft: version }
    this.#wide = wide
    this.#wideAt = version
    return { hard, soft }
  }

  async #tagGenerations(candidates: readonly (readonly Judged[])[]): Promise<Map<string, Last>> {
    const tags = [...new Set(candidates.flatMap((responses) => responses.flatMap((response) => response.tags)))]
    if (tags.length === 0) return new Map()
    const keys = tags.map((tag) => this.#keys.generation('tag', tag))
    const [reply] = orThrow(await this.#link.batch([['mget', ...keys]]))
    return new Map(tags.map((tag, index) => [tag, lastOf((reply as Reply[])[index])]))
  }
}

const NEVER: Last = { hard: 0, soft: 0 }

function standing({ key, position }: Judged, named: readonly Last[], wide: readonly Wide[]): Standing {
  let softly = false
  for (const { hard, soft } of named) {
    if (position < hard) return 'purged'
    softly ||= position < soft
  }
  const url = urlOf(key)
  for (const { hard, soft, covers } of wide) {
    if (position >= Math.max(hard, soft) || !covers(url)) continue
    if (position < hard) return 'purged'
    softly = true
  }
  return softly ? 'invalidated' : 'good'
}

function parseWide(text: string): Wide {
  const [, at, mode, kind = '', selector = ''] = /^(\d+) (hard|soft) (\S+) ([^]*)$/.exec(text) ?? []
  const position = Number(at ?? 0)
  const given = selectorOf(kind, selector)
  const isUrl = given?.kind === 'url' || given?.kind === 'prefix' || given?.kind === 'pattern'
  // What a later version can purge and this one cannot tell.
  const covers = isUrl ? urlMatcher(given) : () => true
  return mode === 'soft' ? { hard: 0, soft: position, covers } : { hard: position, soft: 0, covers }
}

/** Of a generation or floor: `hard soft`. */
function lastOf(reply: Reply): Last {
  const [hard = 0, soft = 0] = textOf(reply)?.split(' ').map(Number) ?? []
  return { hard, soft }
}
