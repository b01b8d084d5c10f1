/** Messages between threads: types only, so that a worker needs nothing of the gateway. */

/** What the thread that evaluates a configuration file is started with. */
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
