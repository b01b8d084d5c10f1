import { Histogram, type HistogramSnapshot } from './histogram.ts'

/** Methods that are counted by name; all others share `OTHER`, so that clients cannot make up labels. */
export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY', 'OTHER'] as const
export type Method = (typeof METHODS)[number]

const OTHER = METHODS.length - 1
const LOWEST_STATUS = 100
const STATUSES = 500

/** What one route has answered, as plain data. Only combinations that occurred are listed. */
export interface RouteTrafficSnapshot {
  route: string
  requests: { method: Method; status: number; count: number }[]
  /** From the request's head to the last byte of the answer. */
  duration: HistogramSnapshot
}

export type TrafficSnapshot = RouteTrafficSnapshot[]

/** The requests of one route. Made by `Traffic.route()` at boot and kept by the route's plan. */
export class RouteTraffic {
  readonly duration = new Histogram()
  // By method, made at its first request: 4 KB each, never more than METHODS.length.
  readonly #counts: (Float64Array | undefined)[] = METHODS.map(() => undefined)

  /**
   * Counts one answered request. Runs for every request: two array accesses and a histogram's `record`.
   *
   * @param status 100…599; anything else is counted as 599, which nothing else sends
   */
  record(method: string, status: number, durationMs: number): void {
    const index = indexOf(method)
    const counts = (this.#counts[index] ??= new Float64Array(STATUSES))
    const slot = status - LOWEST_STATUS
    counts[slot >= 0 && slot < STATUSES ? slot : STATUSES - 1]!++
    this.duration.record(durationMs)
  }

  /** Plain data, for a scrape or another process. */
  requests(): RouteTrafficSnapshot['requests'] {
    const requests: RouteTrafficSnapshot['requests'] = []
    this.#counts.forEach((counts, index) => {
      counts?.forEach((count, slot) => {
        if (count > 0) requests.push({ method: METHODS[index]!, status: slot + LOWEST_STATUS, count })
      })
    })
    return requests
  }
}

/** Requests by route, method and status, and their durations by route: plain integers, read when someone asks. */
export class Traffic {
  readonly #routes = new Map<string, RouteTraffic>()

  /**
   * The counters of a route, made at the first call. Labels come from the configuration, never from a request: their
   * number is what bounds the memory.
   */
  route(label: string): RouteTraffic {
    let traffic = this.#routes.get(label)
    if (!traffic) this.#routes.set(label, (traffic = new RouteTraffic()))
    return traffic
  }

  /** Everything counted so far, as plain data. */
  snapshot(): TrafficSnapshot {
    return [...this.#routes].map(([route, traffic]) => ({
      route,
      requests: traffic.requests(),
      duration: traffic.duration.snapshot(),
    }))
  }

  /** One snapshot with the sums of all, routes in order of appearance. */
  static merge(snapshots: readonly TrafficSnapshot[]): TrafficSnapshot {
    const byRoute = Map.groupBy(snapshots.flat(), ({ route }) => route)
    return [...byRoute].map(([route, parts]) => ({
      route,
      requests: sum(parts.flatMap((part) => part.requests)),
      duration: Histogram.merge(parts.map((part) => part.duration)),
    }))
  }
}

function sum(requests: RouteTrafficSnapshot['requests']): RouteTrafficSnapshot['requests'] {
  const merged = new Map<string, RouteTrafficSnapshot['requests'][number]>()
  for (const request of requests) {
    const key = `${request.method} ${request.status}`
    const known = merged.get(key)
    if (known) known.count += request.count
    else merged.set(key, { ...request })
  }
  return [...merged.values()]
}

function indexOf(method: string): number {
  // A switch over constants compares pointers; a Map would hash. GET comes first because it is most of the traffic.
  switch (method) {
    case 'GET':
      return 0
    case 'HEAD':
      return 1
    case 'POST':
      return 2
    case 'PUT':
      return 3
    case 'PATCH':
      return 4
    case 'DELETE':
      return 5
    case 'OPTIONS':
      return 6
    case 'QUERY':
      return 7
    default:
      return OTHER
  }
}
