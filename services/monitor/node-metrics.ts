/** What a metrics client keeps metrics in. */
interface Registry {
  getMetricsAsJSON(): Promise<unknown[]>
}

/**
 * Node's own metrics: one for all gateways that follow each other in a process. What gathers them cannot be ended (an observer
 * of collections, a histogram of delays whose timer fires every 10 ms), and their counters are the process's.
 */
export class NodeMetrics {
  #registry: Registry | undefined

  /** @param create called by the first gateway alone: a registry of the client, with its default metrics */
  in<R extends Registry>(create: () => R): R {
    this.#registry ??= create()
    return this.#registry as R
  }
}
