import type { CorsOptions } from './options.ts'

/** Tells the origins whose pages may read answers. */
export class AllowedOrigins {
  readonly #exact: ReadonlySet<string>
  /** What stands before the `*` and behind it. */
  readonly #wild: readonly (readonly [string, string])[]
  readonly #any: boolean

  constructor(origin: CorsOptions['origin']) {
    this.#any = typeof origin !== 'object'
    const list = typeof origin === 'object' ? origin : []
    this.#exact = new Set(list.filter((one) => !one.includes('*')))
    this.#wild = list.filter((one) => one.includes('*')).map((one) => one.split('*') as [string, string])
  }

  /** @param origin as a browser serialises it (RFC 6454 §6.2): compared byte for byte */
  has(origin: string): boolean {
    if (this.#any || this.#exact.has(origin)) return true
    for (const [before, after] of this.#wild) {
      if (origin.length <= before.length + after.length) continue
      if (!origin.startsWith(before) || !origin.endsWith(after)) continue
      // The * stands for labels of a name: what could end the host early, or begin another, is none.
      if (LABELS.test(origin.slice(before.length, origin.length - after.length))) return true
    }
    return false
  }
}

const LABELS = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/
