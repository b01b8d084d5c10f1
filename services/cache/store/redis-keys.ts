import { hash } from 'node:crypto'
import { CODEC_VERSION } from './codec.ts'
import { type Selector, urlOf } from './selector.ts'

/** A primary key's place. */
export interface RedisEntryKey {
  /** Hash of its variants. */
  entry: string
  /** Sorted set of the places with the same URL, in the same slot of a cluster. */
  urlIndex: string
  /** How indexes call it. */
  member: string
}

/**
 * Names of what the cache keeps in Redis. `{…}` is what a cluster's slot is chosen by: an entry lies with the index of
 * its URL, and all that purges leave behind lies together, so that a purge is one script. URLs and tags are hashed: they
 * may be long, and have braces in them.
 *
 *     headrace:e1:{url}:key        entries, by codec version
 *     headrace:u1:{url}            where entries with this URL are
 *     headrace:t1:{tag}            where entries with this tag are
 *     {headrace:p}:…               purges
 */
export class RedisKeys {
  readonly #prefix: string
  readonly #purges: string
  /** Position of the last purge. */
  readonly position: string
  /** The last purges, as a stream. */
  readonly stream: string
  /** Purges that cannot be found by a name: of prefixes, patterns and paths; a list, oldest first. */
  readonly wide: string
  /** Position of the last of these. */
  readonly wideAt: string
  /** Whatever was fetched before this position is purged. */
  readonly floor: string
  /** Where purges are told. */
  readonly channel: string

  constructor(prefix: string) {
    this.#prefix = prefix
    this.#purges = `{${prefix}:p}`
    this.position = `${this.#purges}:at`
    this.stream = `${this.#purges}:log`
    this.wide = `${this.#purges}:wide`
    this.wideAt = `${this.#purges}:wide-at`
    this.floor = `${this.#purges}:floor`
    this.channel = `${prefix}:purges`
  }

  entry(key: string): RedisEntryKey {
    const url = digest(urlOf(key))
    return this.member(`{${url}}:${hash('sha256', key, 'base64url')}`)
  }

  /** The place that an index calls so. */
  member(member: string): RedisEntryKey {
    return {
      entry: `${this.#prefix}:e${CODEC_VERSION}:${member}`,
      urlIndex: `${this.#prefix}:u${CODEC_VERSION}:${member.slice(0, member.indexOf('}') + 1)}`,
      member,
    }
  }

  urlIndex(url: string): string {
    return `${this.#prefix}:u${CODEC_VERSION}:{${digest(url)}}`
  }

  tagIndex(tag: string): string {
    return `${this.#prefix}:t${CODEC_VERSION}:{${digest(tag)}}`
  }

  /** Position of the last purge of a key, URL or tag. */
  generation(kind: 'key' | 'url' | 'tag', text: string): string {
    return `${this.#purges}:${kind}:${digest(text)}`
  }
}

/** What names a variant in its entry. */
export function variantName(vary: readonly string[]): string {
  return vary.length === 0 ? '-' : digest(vary.join('\n'))
}

/** The selector's text; none for everything. */
export function textOfSelector(selector: Selector): string {
  switch (selector.kind) {
    case 'all':
      return ''
    case 'key':
      return selector.key
    case 'url':
      return selector.url
    case 'prefix':
      return selector.prefix
    case 'pattern':
      return selector.pattern
    case 'tag':
      return selector.tag
  }
}

/** @returns `undefined` for a kind that this version does not know */
export function selectorOf(kind: string, text: string): Selector | undefined {
  switch (kind) {
    case 'all':
      return { kind }
    case 'key':
      return { kind, key: text }
    case 'url':
      return { kind, url: text }
    case 'prefix':
      return { kind, prefix: text }
    case 'pattern':
      return { kind, pattern: text }
    case 'tag':
      return { kind, tag: text }
    default:
      return undefined
  }
}

/** 132 bits: what is told apart by it is also told apart by its whole key. */
function digest(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, 22)
}
