import type { OpenapiWarning } from './document.ts'
import type { KnownSpecifications } from './known-specifications.ts'
import {
  loadSpecification,
  type LoadedSpecification,
  type RequestUpstream,
  type SpecificationSource,
} from './source.ts'

const RETRY_FIRST_MS = 1_000
const RETRY_LAST_MS = 60_000

/** Time as {@link UpstreamDocuments} sees it. */
export interface DocumentsClock {
  now(): number
  /** Calls once after `ms`; does not keep the process alive. The result cancels it. */
  after(ms: number, call: () => void): () => void
  /** Aborts after `ms`. */
  deadline(ms: number): AbortSignal
}

export const systemClock: DocumentsClock = {
  now: () => Date.now(),
  after: (ms, call) => {
    const timer = setTimeout(call, ms).unref()
    return () => clearTimeout(timer)
  },
  deadline: (ms) => AbortSignal.timeout(ms),
}

export interface UpstreamDocumentsOptions {
  sources: readonly SpecificationSource[]
  request: RequestUpstream
  /** What to begin with until a load has succeeded, and where to keep what is loaded. By default, nothing is known. */
  known?: KnownSpecifications | undefined
  /** Hears of a failed load: once for each message in a row, not at each attempt. */
  onWarning(warning: OpenapiWarning): void
  clock?: DocumentsClock
  /** Time for one load, in ms. Default 5 s. */
  deadlineMs?: number
  /** Age after which a document that is asked for is loaded again in the background, in ms. Default 60 s. */
  staleAfterMs?: number
}

/** One upstream's specification as it is known now. */
export interface DocumentState {
  source: SpecificationSource
  /** The last good one, kept while the upstream is away. */
  specification: LoadedSpecification | undefined
  /** Why the last load failed; `undefined` after a good one. */
  failure: OpenapiWarning | undefined
}

interface Entry extends DocumentState {
  loadedAt: number
  retryMs: number
  loading: Promise<void> | undefined
  cancelRetry: (() => void) | undefined
}

/**
 * Keeps the specifications of upstreams: loaded in the background at `start`, retried (after 1 s, doubling to 60 s)
 * until each has been loaded once or again, then loaded anew when asked for and stale. A failure never surfaces but as a
 * warning; at most one load an upstream runs at a time.
 */
export class UpstreamDocuments {
  /** Grows whenever a document changes. */
  revision = 0
  readonly #entries: Entry[]
  readonly #options: UpstreamDocumentsOptions & Required<Omit<UpstreamDocumentsOptions, 'known'>>
  #closed = false

  constructor(options: UpstreamDocumentsOptions) {
    this.#options = { clock: systemClock, deadlineMs: 5_000, staleAfterMs: 60_000, ...options }
    this.#entries = options.sources.map((source) => ({
      source,
      specification: options.known?.of(source),
      failure: undefined,
      loadedAt: Number.NEGATIVE_INFINITY,
      retryMs: RETRY_FIRST_MS,
      loading: undefined,
      cancelRetry: undefined,
    }))
  }

  /** Begins to load; returns at once. */
  start(): void {
    for (const entry of this.#entries) void this.#load(entry)
  }

  /**
   * What is known. Waits for first loads that are under way (each ends at its deadline), and begins to load again what
   * is stale, without waiting for it.
   */
  async current(): Promise<readonly DocumentState[]> {
    const first = this.#entries.filter((entry) => entry.specification === undefined && entry.failure === undefined)
    await Promise.all(first.flatMap((entry) => entry.loading ?? []))
    return this.known()
  }

  /** {@link current} without waiting: a first load that is under way has brought nothing yet. */
  known(): readonly DocumentState[] {
    const staleSince = this.#options.clock.now() - this.#options.staleAfterMs
    for (const entry of this.#entries) {
      // a failed one has its retry scheduled: being asked for does not hasten it
      if (entry.failure === undefined && entry.loadedAt < staleSince) void this.#load(entry)
    }
    return this.#entries
  }

  /** Loads every document again now and waits for it. */
  async refresh(): Promise<readonly DocumentState[]> {
    await Promise.all(this.#entries.map((entry) => this.#load(entry)))
    return this.#entries
  }

  /** Stops retrying; loads under way end without a trace. */
  close(): void {
    this.#closed = true
    for (const entry of this.#entries) entry.cancelRetry?.()
  }

  #load(entry: Entry): Promise<void> {
    if (this.#closed) return Promise.resolve()
    entry.cancelRetry?.()
    entry.cancelRetry = undefined
    entry.loading ??= this.#loadOnce(entry).finally(() => {
      entry.loading = undefined
    })
    return entry.loading
  }

  async #loadOnce(entry: Entry): Promise<void> {
    const { clock, deadlineMs, request } = this.#options
    try {
      const signal = clock.deadline(deadlineMs)
      const loaded = await loadSpecification(entry.source, request, { signal, known: entry.specification })
      if (this.#closed) return
      if (loaded !== entry.specification || entry.failure !== undefined) this.revision++
      entry.specification = loaded
      this.#options.known?.keep({ source: entry.source, specification: loaded })
      entry.failure = undefined
      entry.loadedAt = clock.now()
      entry.retryMs = RETRY_FIRST_MS
    } catch (error) {
      if (this.#closed) return
      this.#failed(entry, toWarning(entry.source, error))
    }
  }

  #failed(entry: Entry, warning: OpenapiWarning): void {
    if (entry.failure?.message !== warning.message) {
      this.revision++
      this.#options.onWarning(warning)
    }
    entry.failure = warning
    entry.cancelRetry = this.#options.clock.after(entry.retryMs, () => void this.#load(entry))
    entry.retryMs = Math.min(entry.retryMs * 2, RETRY_LAST_MS)
  }
}

function toWarning({ upstream }: SpecificationSource, error: unknown): OpenapiWarning {
  const { code, message } = error as { code?: unknown; message?: unknown }
  const known = code === 'HR_OPENAPI_INVALID' || code === 'HR_OPENAPI_VERSION_UNSUPPORTED' ? code : undefined
  return { code: known ?? 'HR_OPENAPI_UNAVAILABLE', upstream, message: `its specification ${String(message)}` }
}
