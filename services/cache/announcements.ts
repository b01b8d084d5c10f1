import type { Selector } from './store/selector.ts'

export interface AnnouncementsOptions {
  /** Tells the other processes; rejects where not all have heard. */
  send: (selectors: Selector[]) => Promise<unknown>
  /** Called once for each time that messages begin to fail. */
  failed: (error: unknown) => void
  /** Between two messages, at least; default 5. */
  intervalMs?: number
  /** Selectors in one message; default 500. With more, it does not wait. */
  most?: number
}

/**
 * Tells other processes what was invalidated in this one. The first message leaves with the turn of the event loop; what
 * comes within milliseconds of it goes together in the next, each selector once: a thousand mutations a second are two
 * hundred messages at most.
 */
export class Announcements {
  readonly #options: Required<AnnouncementsOptions>
  #waiting = new Map<string, Selector>()
  #timer: NodeJS.Timeout | undefined
  #isSoon = false
  #isFailing = false

  constructor(options: AnnouncementsOptions) {
    this.#options = { intervalMs: 5, most: 500, ...options }
  }

  add(selectors: readonly Selector[]): void {
    for (const selector of selectors) this.#waiting.set(nameOf(selector), selector)
    if (this.#waiting.size >= this.#options.most) this.#send()
    else if (this.#timer === undefined && !this.#isSoon) {
      this.#isSoon = true
      setImmediate(this.#send)
    }
  }

  /** Says at once what is waiting. */
  close(): void {
    this.#send()
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  readonly #send = (): void => {
    this.#isSoon = false
    if (this.#waiting.size === 0) return
    const selectors = [...this.#waiting.values()]
    this.#waiting = new Map()
    clearTimeout(this.#timer)
    this.#timer = setTimeout(this.#elapsed, this.#options.intervalMs).unref()
    this.#options.send(selectors).then(
      () => {
        this.#isFailing = false
      },
      (error: unknown) => {
        if (!this.#isFailing) this.#options.failed(error)
        this.#isFailing = true
      },
    )
  }

  readonly #elapsed = (): void => {
    this.#timer = undefined
    this.#send()
  }
}

function nameOf(selector: Selector): string {
  switch (selector.kind) {
    case 'all':
      return 'all'
    case 'key':
      return `key ${selector.key}`
    case 'url':
      return `url ${selector.url}`
    case 'prefix':
      return `prefix ${selector.prefix}`
    case 'pattern':
      return `pattern ${selector.pattern}`
    case 'tag':
      return `tag ${selector.tag}`
  }
}
