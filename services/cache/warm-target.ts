/** A URL that is asked for before clients do. */
export interface WarmTarget {
  url: string
  /** Request fields, such as Accept-Language where answers differ by it. */
  headers: Readonly<Record<string, string>>
}

/** In one round. */
export const MOST_WARM_TARGETS = 10_000
