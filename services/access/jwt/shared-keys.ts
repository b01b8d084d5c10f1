import { hash, randomUUID } from 'node:crypto'
import type { Machines } from '../machines.ts'
import { KeyNews } from './key-news.ts'
import type { KeySet } from './key-set.ts'
import type { JwtOptions } from './options.ts'

/** What the processes of one machine share. */
export interface ProcessesOfMachine {
  /** These were read here. */
  tell(issuer: string, text: string): void
  /** @returns 0: it is our turn to look at this source of keys for an unknown one; else milliseconds until the next */
  takeTurn(source: string): Promise<number>
}

export interface Hears {
  /** An operator has issuers' keys read anew. */
  refresh(): void
  /** The keys of a source are those with this digest. */
  keys(source: string, digest: string): void
}

/** What machines tell each other of, beside each source of keys. */
const REFRESH = 'refresh'

/**
 * What others are told of issuers' keys, and say: the processes of this machine get the keys themselves, other machines hear
 * that there are others.
 */
export class SharedKeys {
  /** By default there are none. */
  processes: ProcessesOfMachine = { tell: () => {}, takeTurn: async () => 0 }
  readonly #machines: Machines
  #news: KeyNews | null = null

  constructor(machines: Machines) {
    this.#machines = machines
  }

  /** Hears of other machines from now on. */
  start(sources: readonly string[], hears: Hears): void {
    const { link, prefix } = this.#machines
    if (link === null || this.#news !== null) return
    const heard = (topic: string, word: string): void => {
      if (topic === REFRESH) hears.refresh()
      else hears.keys(topic, word.split(' ', 1)[0] as string)
    }
    this.#news = new KeyNews({ link, prefix, topics: [REFRESH, ...new Set(sources)], heard })
  }

  /** These keys were read here, and may be news to others. */
  tell(issuer: string, source: string, { text, digest }: KeySet): void {
    this.processes.tell(issuer, text)
    // Another word each time: somebody may wait to hear that the keys are the same.
    this.#news?.tell(source, `${digest} ${randomUUID()}`)
  }

  /** Has other machines read keys anew; once for each `id`, however many processes say it. */
  refresh(id: string): void {
    this.#news?.tell(REFRESH, id)
  }

  /** Whose turn it is; who cannot be asked keeps nobody from looking. @returns as {@link ProcessesOfMachine.takeTurn} */
  async takeTurn(source: string): Promise<number> {
    try {
      const isThere = this.#machines.link?.ready === true
      return await (isThere && this.#news !== null ? this.#news : this.processes).takeTurn(source)
    } catch {
      return 0
    }
  }

  close(): void {
    this.#news?.close()
  }
}

/** By what machines call the same URL of keys, which may have a secret in its query; `undefined` for those of a file. */
export function sourceOf({ keys }: Pick<JwtOptions, 'keys'>): string | undefined {
  return 'url' in keys ? hash('sha256', keys.url, 'base64url') : undefined
}
