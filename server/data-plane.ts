import type { DataPlaneParts } from '../app/parts.ts'
import type { Config } from '../config/config.ts'
import type { Control } from '../services/control/control.ts'
import { ClosedError } from '../services/control/errors.ts'
import type { LocalControl } from '../services/control/local.ts'
import type { ConnectionBudget } from '../services/listener/connections.ts'
import { addOpenWork, createDrainState } from '../services/listener/drain.ts'
import type { RequestHandlers } from '../services/listener/handlers.ts'
import { createListener, type Listener, type ListenerAddress } from '../services/listener/listener.ts'
import { redirectToHttps } from '../services/listener/redirect.ts'
import { accessLog } from '../services/log/access-log.ts'
import type { Log } from '../services/log/logger.ts'
import type { MetricSource } from '../services/monitor/families.ts'
import { listenerMetrics } from '../services/monitor/listener-metrics.ts'
import { processMetrics } from '../services/monitor/process-metrics.ts'
import type { KnownSpecifications } from '../services/openapi/known-specifications.ts'
import type { RelatedDocument } from '../services/openapi/describe.ts'
import { compileFirstTicks } from './first-ticks.ts'
import { buildGeneration, type Generation } from './generation.ts'
import { countLiveBuffers } from './heap.ts'
import { recallMemoryUsage } from './memory-usage.ts'
import { VERSION } from './version.ts'

export interface DataPlaneContext {
  log: Log
  token: string
  /** Answers for this process. */
  local: LocalControl
  /** What its own routes ask: `local`, or all processes. */
  control: Control
  related: () => RelatedDocument | null
  /** Of the supervisor, where there is one. */
  ticketKeys?: Buffer
  /** What other processes know of upstreams. */
  specifications?: KnownSpecifications
  /** Further sources of metrics. */
  sources?: readonly MetricSource[]
}

/** The gateway of one process and its listeners. */
export interface DataPlane {
  /** Resolves when its cache is warm and the state of its upstreams known, or when that takes too long. */
  warm(): Promise<void>
  /** @throws HR_LISTENER_*; everything is closed then */
  listen(): Promise<ListenerAddress[]>
  /**
   * Puts another configuration into force behind the same listeners, from one request to the next: what is in flight goes on
   * as it began. Listeners stay as they are, but for the files of their certificates.
   *
   * @throws HR_TLS_* and what building a gateway throws; nothing has changed then
   */
  reconfigure(config: Config, token: string): Promise<void>
  /** Drains the listeners to the deadline (0: at once), then closes everything. */
  close(deadlineMs: number): Promise<void>
}

/** What chooses the first listener's port. */
const FIRST_LISTENER = '--port, PORT in the environment, or listen.port in the configuration'
/** Generations that may be waiting for their last requests: with one more, what the oldest has is cut off. */
const MOST_RETIRING = 8

/** Builds everything but the open ports. @throws HR_TLS_*, HR_UPSTREAM_*; nothing stays open then */
export async function prepareDataPlane(config: Config, context: DataPlaneContext): Promise<DataPlane> {
  countLiveBuffers()
  recallMemoryUsage()
  await compileFirstTicks()
  const plane = new ProcessDataPlane(config, context)
  await plane.prepare()
  return plane
}

class ProcessDataPlane implements DataPlane {
  readonly #context: DataPlaneContext
  #config: Config
  #current: Generation | null = null
  readonly #retiring = new Map<Promise<void>, AbortController>()
  readonly #drain = createDrainState()
  #closed = false
  readonly #listeners: Listener[] = []
  readonly #bound = new Map<Listener, ListenerAddress>()
  /** One object for all listeners, whose members change: a request costs no step more. */
  readonly #handlers: RequestHandlers

  constructor(config: Config, context: DataPlaneContext) {
    this.#config = config
    this.#context = context
    const notYet = (): false => false
    this.#handlers = { head: null, request: notYet, stream: notYet, fallback: notYet, broke: notYet }
    context.local.answer({
      addresses: () => this.#addresses(),
      'open-work': () => addOpenWork(this.#listeners.map((listener) => listener.open())),
    })
    context.local.obey({ certificates: async () => (await this.#renewal(this.#config))() })
  }

  /** @throws HR_TLS_*, HR_UPSTREAM_* */
  async prepare(): Promise<void> {
    const { limits, listen, dataDir } = this.#config
    const budget: ConnectionBudget = { limit: limits.connections, open: 0 }
    const toHttps: RequestHandlers = {
      ...redirectToHttps(() => portOfHttps(this.#bound)),
      broke: (request, error) => this.#handlers.broke(request, error),
    }
    try {
      this.#install(await buildGeneration(this.#config, this.#parts(this.#config, this.#context.token), null))
      for (const [index, options] of listen.entries()) {
        const listener = createListener(options, {
          limits,
          handlers: options.redirect === null ? this.#handlers : toHttps,
          dataDir,
          ticketKeys: this.#context.ticketKeys,
          drain: this.#drain,
          budget,
          log: this.#context.log.log,
          setting: index === 0 ? FIRST_LISTENER : `listen[${index}].port in the configuration`,
        })
        this.#listeners.push(listener)
        await listener.prepare()
      }
    } catch (error) {
      await this.#end()
      throw error
    }
  }

  async warm(): Promise<void> {
    await this.#current?.warm()
  }

  async listen(): Promise<ListenerAddress[]> {
    try {
      // Those that redirect come last: by their first request the others have their ports.
      for (const listener of this.#listeners.toSorted((a, b) => redirects(a) - redirects(b))) {
        this.#bound.set(listener, await listener.listen())
      }
    } catch (error) {
      await this.#end()
      throw error
    }
    return this.#addresses()
  }

  async reconfigure(config: Config, token: string): Promise<void> {
    const renew = await this.#renewal(config)
    const next = await buildGeneration(config, this.#parts(config, token), this.#current)
    await next.warm()
    if (this.#closed) {
      await next.close()
      throw new ClosedError()
    }
    renew()
    const { log } = this.#context.log
    // One that was set since stays where the configuration has not changed its mind.
    if (config.log.level !== this.#config.log.level) log.level = config.log.level
    this.#config = config
    const before = this.#install(next)
    if (before !== null) this.#retire(before)
  }

  async close(deadlineMs: number): Promise<void> {
    this.#drain.draining = true
    if (deadlineMs > 0) {
      const results = await Promise.all(this.#listeners.map((listener) => listener.drain(deadlineMs)))
      const destroyed = results.reduce((sum, result) => sum + result.destroyed, 0)
      const { log } = this.#context.log
      if (destroyed > 0) log.warn({ connections: destroyed }, 'Connections were cut off at the end of drainTimeout')
    }
    await this.#end()
  }

  /** From here on the listeners' requests are its. @returns the one that had them before */
  #install(next: Generation): Generation | null {
    const before = this.#current
    this.#current = next
    Object.assign(this.#handlers, next.gateway.handlers)
    this.#context.local.delegate(next.local)
    return before
  }

  #retire(before: Generation): void {
    const cut = new AbortController()
    const { log } = this.#context.log
    const retired = before
      .retire(cut.signal)
      .catch((error: unknown) => log.error({ err: error }, 'What a reload has replaced did not close'))
      .finally(() => this.#retiring.delete(retired))
    this.#retiring.set(retired, cut)
    const [oldest] = this.#retiring.values()
    if (this.#retiring.size <= MOST_RETIRING || oldest === undefined) return
    log.warn('Requests of a configuration that was replaced long ago are cut off')
    oldest.abort()
  }

  /** Reads the certificates of every listener. @returns puts them into force */
  async #renewal({ listen }: Config): Promise<() => void> {
    const renewals = await Promise.all(this.#listeners.map((listener, index) => listener.renew(listen[index]?.tls)))
    return () => {
      for (const renew of renewals) renew()
    }
  }

  #parts(config: Config, token: string): Omit<DataPlaneParts, 'local' | 'previous'> {
    const { log, control, related, specifications, sources = [] } = this.#context
    const readings = () =>
      [...this.#bound].map(([listener, { url }]) => ({
        listener: url,
        counters: listener.counters,
        http2: listener.sessions.counters,
      }))
    return {
      log: log.log,
      version: VERSION,
      control,
      ...(specifications && { specifications }),
      // Also where nothing is logged now: the level may change while it runs.
      finished: config.log.requests ? [accessLog(log, config.log)] : [],
      token,
      draining: () => this.#drain.draining,
      sources: [listenerMetrics(readings), processMetrics(VERSION), ...sources],
      http2: () => this.#listeners.map(({ sessions }) => sessions.counters),
      related,
    }
  }

  #addresses(): ListenerAddress[] {
    return this.#listeners.flatMap((listener) => this.#bound.get(listener) ?? [])
  }

  async #end(): Promise<void> {
    this.#closed = true
    await Promise.all(this.#listeners.map((listener) => listener.close()))
    for (const cut of this.#retiring.values()) cut.abort()
    await Promise.all(this.#retiring.keys())
    await this.#current?.close()
  }
}

function redirects({ options }: Listener): number {
  return options.redirect === null ? 0 : 1
}

/** Of the first listener with TLS; the configuration is invalid where one redirects and there is none. */
function portOfHttps(bound: ReadonlyMap<Listener, ListenerAddress>): number {
  for (const [listener, { port }] of bound) if (listener.options.tls !== null) return port
  return 443
}
