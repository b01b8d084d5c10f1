/** Messages to workers and from them: types only, so that a worker needs nothing of the gateway. */

/** What the process that evaluates a configuration file is asked. */
export interface EvaluateConfigRequest {
  /** `file:` URL of the configuration. */
  url: string
  /** What `import … from 'headrace'` gets: the `file:` URL of the module with defineConfig and env. */
  define: string
  /** Its text, when types have to be stripped from it for positions. */
  typescript: string | null
  /** What `env()` returns for a required variable that is not set. */
  unset: string
}

/** A value that is no plain data. */
export interface ForeignValue {
  path: (string | number)[]
  /** In words: `a function`, `a Date`. */
  kind: string
}

export type EvaluateConfigReply =
  | {
      outcome: 'value'
      value: unknown
      foreign: ForeignValue[]
      /** Names of required variables that are not set. */
      unset: string[]
      /** The text without types, every position as in the file; `null` where it was JavaScript. */
      javascript: string | null
      /** Files that it imports, but for those of installed packages. */
      modules: string[]
    }
  | {
      outcome: 'failure'
      name: string
      message: string
      code: string | null
      /** 1-based, in the configuration file; `null` where the failure does not say. */
      line: number | null
      column: number | null
      /** The file that the failure points at, when it is another one that the configuration imports. */
      file: string | null
    }

/** What the thread that owns the cache's database is started with. */
export interface CacheDiskOptions {
  /** Absolute path of the database; its folder exists. */
  file: string
  /** Of the tables. Stands in the file's name as well, so that processes of two versions don't fight for one file. */
  version: number
  /** Of the database; its journal comes on top, a few MiB. */
  maxBytes: number
  /** Responses under one key; the oldest goes. */
  maxVariants: number
}

export interface CacheDiskKey {
  key: string
  /** The URL in the key, by which it is purged. */
  url: string
}

export interface CacheDiskWrite extends CacheDiskKey {
  /** What tells it from other responses under the key. */
  variant: string
  tags: readonly string[]
  /** Milliseconds since 1970, as all times here. */
  requestedAt: number
  usableUntil: number
  /** Length of the response in {@link CacheDiskParcel}. */
  bytes: number
}

/** The responses of several writes: large ones in buffers of their own, which change hands without a copy. */
export interface CacheDiskParcel {
  packed: Uint8Array
  large: Uint8Array[]
  /** From this length on a response is large. */
  largeFrom: number
}

/** What a purge covers: one key, one URL, one tag, or all URLs (all paths) that fit a pattern of SQLite's GLOB. */
export type CacheDiskScope = 'key' | 'url' | 'tag' | 'glob' | 'path'

export interface CacheDiskPurge {
  id: number
  scope: CacheDiskScope
  value: string
  /** The URL of a key. */
  url: string
  mode: 'hard' | 'soft'
  /** Covers what was requested until then, also where it is written later. */
  at: number
}

export type CacheDiskRequest =
  /** Without keys, asks how it does. */
  | { kind: 'read'; id: number; now: number; keys: CacheDiskKey[] }
  | { kind: 'write'; now: number; writes: CacheDiskWrite[]; parcel: CacheDiskParcel }
  | { kind: 'purge'; purges: CacheDiskPurge[] }
  /** Some of what has to be done now and then: dropping what has expired, giving space back. */
  | { kind: 'tidy'; now: number }
  /** Writes what is waiting, and ends. */
  | { kind: 'close' }

export interface CacheDiskFound {
  value: Uint8Array
  /** A soft purge came over it. */
  invalidated: boolean
}

export type CacheDiskReply =
  /** Once, before all others. `setAside`: what was wrong with the file that was there, and where it is now. */
  | { kind: 'opened'; setAside: { reason: string; file: string } | null }
  /** For each key what is stored, latest requested first. `null`: the database was busy for too long. */
  | { kind: 'found'; id: number; found: CacheDiskFound[][] | null }
  /** Of the writes in the order in which they came. */
  | { kind: 'written'; count: number; bytes: number; refused: number }
  | { kind: 'purged'; purges: { id: number; count: number }[] }
  | { kind: 'size'; entries: number; bytes: number }
  /** The disk is full: what comes is refused, but for a try now and then. `null`: it no longer is. */
  | { kind: 'full'; reason: string | null }
  /** It cannot go on, and ends. */
  | { kind: 'failed'; reason: string }

/** What the thread that compresses is to do. */
export interface CompressTask {
  bytes: Uint8Array
  coding: 'zstd' | 'br' | 'gzip'
  level: number
}
