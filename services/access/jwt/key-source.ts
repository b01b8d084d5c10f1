import type { KeySet } from './key-set.ts'

/** How a source of keys does, for metrics and reports. */
export interface KeySourceReport {
  /** Keys in force; 0 where none have come. */
  keys: number
  /** Times that they were asked for. */
  fetches: number
  failures: number
  /** Times that they were others than before. */
  changes: number
  /** Milliseconds since they were last known to hold; `null` where they never came. */
  ageMs: number | null
}

/** Where the keys of an issuer come from: a URL, a file, or the configuration. */
export interface KeySource {
  /** In force; `undefined` while none have come. */
  readonly current: KeySet | undefined
  /** Called each time that they are others than before: nothing that was judged by the old ones holds. */
  changed: () => void
  /** Begins to follow them; returns at once. */
  start(): void
  /** The first that come, waited for within bounds. @returns `undefined` where they cannot be had now */
  first(): Promise<KeySet | undefined>
  /**
   * A token names a key that is not among these: they may have been rotated. At most one look in 30 s of all processes that
   * know of each other, however often it is called; callers wait for the same one.
   *
   * @returns others than these, or `undefined`
   */
  another(than: KeySet): Promise<KeySet | undefined>
  /** Looks now: somebody says that they have changed. Resolves once they are in force, or cannot be had. */
  refresh(): Promise<void>
  /** Takes over what another process of this machine has read. */
  adopt(text: string): void
  /** Another machine has read keys with this digest: looks, where these are others. */
  heard(digest: string): Promise<void>
  report(): KeySourceReport
  close(): void
}
